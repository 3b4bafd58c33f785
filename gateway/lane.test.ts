import { expect, test } from 'vitest'
import { commandSubject, matchPartition } from '../bus/subjects.ts'
import { decode, encode } from '../protocol/codec.ts'
import { createdRoom } from './room-id.ts'
import { rig } from './testing/rig.ts'

const refs = (frames: Uint8Array[]) => frames.map((bytes) => Object(decode(bytes))[1])

test('frames that arrive in one turn leave as one Command, in order', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room')
  engine.requests.length = 0
  client.send([5, 2, 'room', 'a'], [5, 3, 'room', 'b'], [5, 4, 'room', 'c'])
  await settle()
  expect(engine.commands.map(({ frames }) => refs(frames))).toEqual([[2, 3, 4]])
  expect(client.take()).toEqual([
    [33, 2, 'a'],
    [33, 3, 'b'],
    [33, 4, 'c'],
  ])
})

test('one Command is in flight: what arrives meanwhile goes in the next, in order', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room')
  engine.requests.length = 0
  engine.onRequest = () => {}
  client.send([5, 2, 'room', 'a'])
  await settle()
  client.send([5, 3, 'room', 'b'])
  await settle()
  client.send([6, 'room', 'wave', null], [5, 4, 'room', 'c'])
  await settle()
  expect(engine.commands).toHaveLength(1)
  engine.onRequest = (request) => engine.obey(request)
  const [first] = engine.commands
  if (first) engine.obey(first)
  await settle()
  expect(engine.commands.map(({ frames }) => frames.map((bytes) => Object(decode(bytes))[0]))).toEqual([[5], [5, 6, 5]])
  expect(client.take().map(([, ref]) => ref)).toEqual([2, 3, 4])
})

test('a busy room does not hold up another', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'one')
  engine.onRequest = (request) => {
    if ('room' in request && request.room === 'two') engine.obey(request)
  }
  client.send([5, 2, 'one', 'a'], [3, 3, 'two'])
  await settle()
  expect(client.take().map(([, ref]) => ref)).toContain(3)
})

test('P2 a Command that is lost is sent again each second with the same id, until it is answered', async () => {
  const { member, time, engine, faults, gateway } = rig()
  const client = await member('ann', 'room')
  engine.requests.length = 0
  let losses = 2
  faults.loses = (subject) => subject.startsWith('cmd.') && losses-- > 0
  client.send([5, 2, 'room', 'a'])
  await time.advance(1_999)
  expect(engine.commands).toHaveLength(0)
  await time.advance(1)
  expect(client.take()).toEqual([[33, 2, 'a']])
  expect(gateway.held().requests).toBe(0)
  await time.advance(5_000)
  expect(engine.commands).toHaveLength(1)
})

test('P2 an answer that is lost is asked for again with the same id, and the client gets one', async () => {
  const { member, time, engine, faults } = rig()
  const client = await member('ann', 'room')
  engine.requests.length = 0
  let losses = 1
  faults.loses = (_subject, message) => message.kind === 'envelope' && message.items.length > 0 && losses-- > 0
  client.send([5, 2, 'room', 'a'])
  await time.advance(1_500)
  expect(engine.commands.map(({ id }) => id)).toEqual([engine.commands[0]?.id, engine.commands[0]?.id])
  expect(client.take()).toEqual([[33, 2, 'a']])
})

test('an answer in parts is given as it comes, and a late copy of it is dropped', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room')
  engine.onRequest = () => {}
  client.send([5, 2, 'room', 'a'], [5, 3, 'room', 'b'])
  await settle()
  const command = engine.commands.at(-1)
  if (!command) throw new Error('no command')
  const part = (ref: number, done: boolean) => ({ ...engine.answer(command, [[33, ref]]), done })
  engine.say(part(2, false))
  await settle()
  expect(client.take()).toEqual([[33, 2]])
  engine.say(part(3, true), part(3, true))
  engine.say(part(3, true))
  await settle()
  expect(client.take()).toEqual([[33, 3]])
})

test('after 10 s what no engine answered gets ERR unavailable, with what waits behind it; answered refs do not', async () => {
  const { member, time, settle, engine, gateway } = rig()
  const client = await member('ann', 'room')
  engine.onRequest = () => {}
  client.send([5, 2, 'room', 'a'], [5, 3, 'room', 'b'], [6, 'room', 'wave', null])
  await settle()
  const command = engine.commands.at(-1)
  if (command) engine.say({ ...engine.answer(command, [[33, 2]]), done: false })
  await settle()
  client.take()
  client.send([5, 4, 'room', 'c'])
  await time.advance(9_000)
  engine.heartbeat()
  expect(client.take()).toEqual([])
  await time.advance(1_000)
  expect(client.take().map(([op, ref, code]) => [op, ref, code])).toEqual([
    [34, 3, 'unavailable'],
    [34, 4, 'unavailable'],
  ])
  engine.onRequest = (request) => engine.obey(request)
  client.send([5, 5, 'room', 'd'])
  await time.advance(3_000)
  expect(client.take()).toEqual([[33, 5, 'd']])
  expect(gateway.held().requests).toBe(0)
})

test('P5 what waits for a room is bounded: above 256 frames answered ones get ERR unavailable, the rest goes on', async () => {
  const { member, settle, engine } = rig({ limits: { frame: 16_384, rate: 1_000 } })
  const client = await member('ann', 'room')
  engine.onRequest = () => {}
  for (let ref = 2; ref < 302; ref++) client.send([5, ref, 'room', 'a'])
  await settle()
  const refused = client.take()
  expect(refused).toHaveLength(44)
  expect(refused[0]).toMatchObject([34, 258, 'unavailable', expect.any(String)])
  engine.onRequest = (request) => engine.obey(request)
  const waiting = engine.commands.at(-1)
  if (waiting) engine.obey(waiting)
  await settle()
  expect(client.take()).toHaveLength(256)
})

test('P5 and above 1 MiB', async () => {
  const { member, settle, engine } = rig({ limits: { frame: 16_384, rate: 1_000 } })
  const client = await member('ann', 'room')
  engine.onRequest = () => {}
  for (let ref = 2; ref < 102; ref++) client.send([5, ref, 'room', 'a', 'x'.repeat(16_000)])
  await settle()
  const kept = 100 - client.take().length
  expect(kept).toBeGreaterThan(60)
  expect(kept).toBeLessThan(66)
})

test('a Command never carries more than 64 frames or 256 KiB', async () => {
  const { member, settle, engine } = rig({ limits: { frame: 16_384, rate: 1_000 } })
  const client = await member('ann', 'room')
  engine.requests.length = 0
  for (let ref = 2; ref < 202; ref++) client.send([5, ref, 'room', 'a'])
  await settle()
  expect(engine.commands.map(({ frames }) => frames.length)).toEqual([64, 64, 64, 8])
  engine.requests.length = 0
  for (let ref = 302; ref < 342; ref++) client.send([5, ref, 'room', 'a', 'x'.repeat(16_000)])
  await settle()
  for (const { frames } of engine.commands)
    expect(frames.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(262_144)
  expect(engine.commands.flatMap(({ frames }) => refs(frames))).toEqual(Array.from({ length: 40 }, (_, i) => 302 + i))
})

test('P2 CREATE goes to a room derived from player, session and ref: the same for a retry, at any gateway', async () => {
  const first = rig()
  const second = rig()
  for (const { online, settle } of [first, second]) {
    const client = await online('ann', 'the-same-session')
    client.send([2, 9, 'tictactoe'], [2, 10, 'tictactoe'])
    await settle()
  }
  const rooms = first.engine.commands.map(({ room }) => room)
  expect(rooms).toEqual(second.engine.commands.map(({ room }) => room))
  expect(rooms[0]).toBe(createdRoom(new Uint8Array(32).fill(7), 'ann', 'the-same-session', 9))
  expect(new Set(rooms).size).toBe(2)
  for (const room of rooms) expect(room).toMatch(/^[a-z2-7]{26}$/)
})

test('a room id cannot be guessed from another cluster, player, session or ref', () => {
  const key = new Uint8Array(32).fill(7)
  const ids = [
    createdRoom(key, 'ann', 'session', 1),
    createdRoom(new Uint8Array(32).fill(8), 'ann', 'session', 1),
    createdRoom(key, 'bob', 'session', 1),
    createdRoom(key, 'ann', 'sessioN', 1),
    createdRoom(key, 'ann', 'session', 2),
  ]
  expect(new Set(ids).size).toBe(5)
})

test('MATCH goes to the partition of its game with an empty room; one is in flight, and each game has its own Command', async () => {
  const { online, settle, engine, faults } = rig()
  const subjects: string[] = []
  faults.loses = (subject, { kind }) => {
    if (kind === 'command') subjects.push(subject)
    return false
  }
  const client = await online('ann')
  client.send([9, 1, 'tictactoe'], [9, 2, 'mafia'], [9, 3, 'mafia'])
  await settle()
  expect(engine.commands.map(({ room, frames }) => [room, refs(frames)])).toEqual([
    ['', [1]],
    ['', [2, 3]],
  ])
  expect(client.take().map(([op, ref]) => [op, ref])).toEqual([
    [33, 1],
    [33, 2],
    [33, 3],
  ])
  expect(subjects).toEqual(['tictactoe', 'mafia'].map((game) => commandSubject(matchPartition(game))))
})

test.each([
  ['an op that does not exist, with its ref', [77, 5, 'room'], 5],
  ['a ref that is not a positive integer', [5, 0, 'room', 'a'], null],
  ['a room that is no room id', [5, 5, 'no room!', 'a'], 5],
  ['a room id of 65 characters', [3, 5, 'r'.repeat(65)], 5],
  ['a room that is not text', [4, 5, 7], 5],
  ['no game', [2, 5], 5],
  ['a PING without a number', [8, 'now'], null],
  ['a CAST without a room', [6], null],
  ['an op of servers', [33, 5], 5],
])('%s: ERR bad_frame, nothing reaches an engine, and the connection stays', async (_what, frame, ref) => {
  const { online, settle, engine } = rig()
  const client = await online('ann')
  client.send(frame, [8, 1])
  await settle()
  expect(client.take()).toMatchObject([
    [34, ref, 'bad_frame', expect.any(String)],
    [39, 1, expect.any(Number)],
  ])
  expect(engine.requests).toEqual([])
})

test('a payload passes unopened, byte by byte', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room')
  // 1 as an integer of 64 bits: no encoder of ours would write it so.
  const bytes = Uint8Array.of(0x95, 5, 2, 0xa4, 114, 111, 111, 109, 0xa1, 97, 0xcf, 0, 0, 0, 0, 0, 0, 0, 1)
  client.socket.send(bytes)
  await settle()
  expect(engine.commands.at(-1)?.frames).toEqual([Buffer.from(bytes)])
  expect(encode(decode(bytes))).not.toEqual(bytes)
})
