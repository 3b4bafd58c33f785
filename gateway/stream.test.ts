import { expect, test } from 'vitest'
import { ScriptedEngine } from './testing/engine.ts'
import { rig } from './testing/rig.ts'

const heads = (frames: unknown[][]) => frames.map((frame) => frame.slice(0, 4))

test('P3 an envelope that comes twice, or late, changes nothing the second time', async () => {
  const { member, settle, engine, gateway } = rig()
  const client = await member('ann', 'room')
  engine.say(engine.output('room', 2, [1], { document: [1, 2], emits: [[37, 'room', 2, { type: 'bang' }]] }))
  await settle()
  expect(heads(client.take())).toEqual([
    [36, 'room', 1, 2],
    [37, 'room', 2, { type: 'bang' }],
  ])
  engine.repeat(engine.number, [engine.output('room', 3, [1], { document: [2, 3] })])
  engine.repeat(1, [engine.output('room', 3, [1], { document: [2, 3] })])
  await settle()
  expect(client.take()).toEqual([])
  expect(gateway.counters.dropsDoubled).toBe(2)
  engine.say(engine.output('room', 3, [1], { document: [2, 3] }))
  await settle()
  expect(heads(client.take())).toEqual([[36, 'room', 2, 3]])
})

test('P3 a hole makes the members of that engine attach again from where they stand, and documents go on', async () => {
  const { member, settle, engine, gateway } = rig()
  const ann = await member('ann', 'room')
  const bob = await member('bob', 'other')
  engine.requests.length = 0
  engine.onRequest = () => {}
  engine.lose()
  engine.say(engine.output('other', 2, [2], { document: [1, 2] }))
  await settle()
  expect(bob.take()).toEqual([])
  expect(engine.attaches).toMatchObject([
    { room: 'room', members: [{ conn: 1, player: { id: 'ann' }, role: 'player', since: 1, heard: 1, ref: 1 }] },
    { room: 'other', members: [{ conn: 2, player: { id: 'bob' }, since: 1 }] },
  ])
  const [first, second] = engine.attaches
  if (!first || !second) throw new Error('nothing was attached')
  engine.say(engine.answer(first, [[36, 'room', 1, 5, []]], { role: 'player', seq: 5, heard: 6 }, 1))
  engine.say(engine.answer(second, [[35, 'other', 2, {}]], { role: 'player', seq: 2, heard: 2 }, 2))
  engine.say(engine.output('room', 7, [1], { document: [5, 7] }), engine.output('other', 3, [2], { document: [2, 3] }))
  await settle()
  expect(heads(ann.take())).toEqual([
    [36, 'room', 1, 5],
    [36, 'room', 5, 7],
  ])
  expect(heads(bob.take())).toEqual([
    [35, 'other', 2, {}],
    [36, 'other', 2, 3],
  ])
  expect(gateway.held().requests).toBe(0)
})

test('P5 a connection that was put out of a room while it was being attached again still tells the engine of its end', async () => {
  const { member, settle, engine, gateway } = rig()
  const client = await member('ann', 'room')
  engine.onRequest = () => {}
  engine.lose()
  engine.say(engine.output('room', 3, [1], { document: [2, 3] }))
  await settle()
  expect(engine.attaches).toHaveLength(1)
  engine.say({ kind: 'close', room: 'room', conn: 1, code: null, reason: 'left' })
  await settle()
  expect(gateway.held().rooms).toBe(0)
  client.socket.close(1006)
  await settle()
  expect(engine.detaches).toMatchObject([{ room: 'room', conns: [1] }])
})

test('P3 a lost last envelope is noticed by the repeated number and made good within 2 s', async () => {
  const { member, time, engine } = rig()
  const client = await member('ann', 'room')
  engine.onRequest = (request) => {
    if (request.kind === 'attach')
      engine.say(engine.answer(request, [[36, 'room', 1, 2, []]], { role: 'player', seq: 2, heard: 2 }, 1))
  }
  engine.lose()
  await time.advance(500)
  engine.heartbeat()
  await time.advance(1_499)
  expect(heads(client.take())).toEqual([[36, 'room', 1, 2]])
  expect(engine.attaches).toHaveLength(1)
})

test('repeated numbers that hold nothing new change nothing', async () => {
  const { member, time, engine, gateway } = rig()
  await member('ann', 'room')
  for (let i = 0; i < 20; i++) {
    await time.advance(500)
    engine.heartbeat()
  }
  await time.advance(100)
  expect(engine.attaches).toEqual([])
  expect(gateway.counters.holes).toBe(0)
})

test('P3 an engine that falls silent: its members are attached again, until some engine answers', async () => {
  const { member, time, engine, bus, gateway } = rig()
  const client = await member('ann', 'room')
  engine.stop()
  await time.advance(10_000)
  expect(client.take()).toEqual([])
  const successor = new ScriptedEngine(bus, 'gateway-1', 'engine-2')
  successor.epoch = 2
  successor.onRequest = (request) => {
    if (request.kind === 'attach')
      successor.say(successor.answer(request, [[35, 'room', 9, {}]], { role: 'player', seq: 9, heard: 9 }, 1))
  }
  await time.advance(1_000)
  expect(heads(client.take())).toEqual([[35, 'room', 9, {}]])
  expect(gateway.held().requests).toBe(0)
  successor.say(successor.output('room', 10, [1], { document: [9, 10] }))
  await time.advance(100)
  expect(heads(client.take())).toEqual([[36, 'room', 9, 10]])
})

test('items of a lower epoch than the partition has seen are dropped', async () => {
  const { member, settle, engine, gateway } = rig()
  const client = await member('ann', 'room')
  engine.epoch = 5
  engine.say(engine.output('room', 1, [1], {}))
  await settle()
  engine.epoch = 4
  engine.say(engine.output('room', 2, [1], { document: [1, 2] }))
  await settle()
  expect(client.take()).toEqual([])
  expect(gateway.counters.dropsStale).toBe(1)
  engine.epoch = 5
  engine.say(engine.output('room', 2, [1], { document: [1, 2] }))
  await settle()
  expect(heads(client.take())).toEqual([[36, 'room', 1, 2]])
})

test('a higher epoch means a new owner, which learns who is here', async () => {
  const { member, settle, engine } = rig()
  await member('ann', 'room')
  engine.requests.length = 0
  engine.epoch = 2
  engine.say(engine.output('room', 2, [], {}))
  await settle()
  expect(engine.attaches).toMatchObject([{ room: 'room', members: [{ conn: 1, since: 1 }] }])
})

test('P3 a PATCH whose from is not where the connection stands is not forwarded: it is attached again', async () => {
  const { member, settle, engine, gateway } = rig()
  const client = await member('ann', 'room')
  engine.requests.length = 0
  engine.say(engine.output('room', 4, [1], { document: [3, 4], emits: [[37, 'room', 4, { type: 'bang' }]] }))
  await settle()
  expect(client.take()).toEqual([])
  expect(engine.attaches).toMatchObject([{ members: [{ conn: 1, since: 1, heard: 1 }] }])
  expect(gateway.counters.reattached).toBe(1)
})

test('P3 never backwards: a document at or below where the connection stands is not forwarded', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room')
  engine.requests.length = 0
  engine.say(engine.output('room', 3, [1], { document: [1, 3] }))
  engine.say(
    engine.output('room', 3, [1], { document: [1, 2] }),
    engine.output('room', 3, [1], { document: [null, 3] }),
  )
  await settle()
  expect(heads(client.take())).toEqual([[36, 'room', 1, 3]])
  expect(engine.attaches).toEqual([])
})

test('P3 an Attach asks for the EMITs after the last output, also where nothing in that was for this member', async () => {
  const { member, time, settle, engine } = rig()
  await member('ann', 'room')
  engine.say(engine.output('room', 4, [99], { emits: [[37, 'room', 4, { type: 'whisper' }]] }))
  await settle()
  engine.lose()
  engine.say(engine.output('room', 6, [99], {}))
  await time.advance(100)
  expect(engine.attaches.at(-1)?.members).toMatchObject([{ conn: 1, since: 1, heard: 4 }])
})

test('P3 while a member is attached again, the answer to its move waits for the document', async () => {
  const { member, settle, engine, time } = rig()
  const client = await member('ann', 'room')
  engine.onRequest = () => {}
  client.send([5, 2, 'room', 'a'])
  await settle()
  const command = engine.commands.at(-1)
  if (!command) throw new Error('no command')
  engine.lose()
  engine.say(engine.answer(command, [[33, 2, 2]]))
  await time.advance(100)
  expect(client.take()).toEqual([])
  const attach = engine.attaches.at(-1)
  if (!attach) throw new Error('nothing was attached')
  engine.say(engine.answer(attach, [[36, 'room', 1, 2, []]], { role: 'player', seq: 2, heard: 2 }, 1))
  await settle()
  expect(heads(client.take())).toEqual([
    [36, 'room', 1, 2],
    [33, 2, 2],
  ])
})

test('one request is in flight per connection and room: an Attach waits for the Command, and the next Command for the Attach', async () => {
  const { member, time, settle, engine } = rig()
  const client = await member('ann', 'room')
  engine.requests.length = 0
  engine.onRequest = () => {}
  client.send([5, 2, 'room', 'a'])
  await settle()
  engine.lose()
  engine.heartbeat()
  client.send([5, 3, 'room', 'b'])
  await time.advance(500)
  expect(engine.attaches).toEqual([])
  const [command] = engine.commands
  if (command) engine.say(engine.answer(command, [[33, 2]]))
  await time.advance(100)
  expect(engine.attaches).toHaveLength(1)
  expect(engine.commands).toHaveLength(1)
  engine.onRequest = (request) => engine.obey(request)
  const [attach] = engine.attaches
  if (attach) engine.obey(attach)
  await settle()
  expect(client.take().map(([, ref]) => ref)).toEqual([2, 3])
})

test('frames that wait for an Attach that nobody answers get ERR unavailable after 10 s', async () => {
  const { member, time, settle, engine, gateway } = rig()
  const client = await member('ann', 'room')
  engine.onRequest = () => {}
  engine.lose()
  engine.heartbeat()
  await settle()
  client.send([5, 2, 'room', 'a'])
  await time.advance(9_999)
  expect(client.take()).toEqual([])
  await time.advance(1)
  expect(client.take()).toMatchObject([[34, 2, 'unavailable', expect.any(String)]])
  client.socket.close()
  await time.advance(70_000)
  expect(gateway.held()).toEqual({ connections: 0, rooms: 0, requests: 0, rates: 0, attaching: 0 })
})

test('an Attach that is lost is sent again, without those who have left meanwhile', async () => {
  const { member, time, settle, engine, faults } = rig()
  const ann = await member('ann', 'room')
  await member('bob', 'room')
  engine.requests.length = 0
  faults.loses = (_subject, { kind }) => kind === 'attach'
  engine.lose()
  engine.heartbeat()
  await settle()
  ann.socket.close()
  await settle()
  faults.loses = () => false
  await time.advance(1_000)
  expect(engine.attaches.map(({ members }) => members.map(({ conn }) => conn))).toEqual([[2]])
})

test('a member whose part of an answer was lost is asked for again', async () => {
  const { member, time, engine } = rig()
  await member('ann', 'room')
  const bob = await member('bob', 'room')
  engine.requests.length = 0
  let first = true
  engine.onRequest = (request) => {
    if (request.kind !== 'attach') return
    const { members } = request
    const last = members.at(-1)
    for (const { conn } of members)
      if (!first || conn === 1)
        engine.say({
          ...engine.answer(request, [[35, 'room', 4, {}]], { role: 'player', seq: 4, heard: 4 }, conn),
          done: first || conn === last?.conn,
        })
    first = false
  }
  engine.lose()
  engine.heartbeat()
  await time.advance(200)
  expect(engine.attaches.map(({ members }) => members.map(({ conn }) => conn))).toEqual([[1, 2], [2]])
  expect(heads(bob.take())).toEqual([[35, 'room', 4, {}]])
})

test('a JOIN answers for an Attach that is under way, whose own answer is then dropped', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room')
  engine.onRequest = () => {}
  client.send([3, 2, 'room', { since: 1 }])
  await settle()
  engine.lose()
  engine.heartbeat()
  await settle()
  const command = engine.commands.at(-1)
  if (command)
    engine.say(
      engine.answer(
        command,
        [
          [33, 2],
          [35, 'room', 7, {}],
        ],
        { role: 'player', seq: 7, heard: 7 },
      ),
    )
  engine.say(engine.output('room', 8, [1], { document: [7, 8] }))
  await settle()
  expect(heads(client.take())).toEqual([
    [33, 2],
    [35, 'room', 7, {}],
    [36, 'room', 7, 8],
  ])
  expect(engine.attaches).toEqual([])
})

test('players are attached again before any who only watch', async () => {
  const { member, settle, engine } = rig()
  for (let n = 0; n < 300; n++) await member(`s${n}`, 'hall', 'spectator')
  await member('ann', 'hall')
  engine.requests.length = 0
  engine.lose()
  engine.say()
  await settle()
  const first = engine.attaches.flatMap(({ members }) => members)
  expect(first).toHaveLength(250)
  expect(first.filter(({ role }) => role === 'player')).toMatchObject([{ player: { id: 'ann' } }])
})

test('P5 many members are attached again at a bounded rate', async () => {
  const { member, time, settle, engine } = rig()
  for (let i = 0; i < 600; i++) await member(`p${i}`, `room-${i % 3}`)
  engine.requests.length = 0
  engine.onRequest = () => {}
  engine.lose()
  engine.heartbeat()
  await settle()
  const asked = () => engine.attaches.reduce((sum, { members }) => sum + members.length, 0)
  expect(asked()).toBe(250)
  await time.advance(100)
  expect(asked()).toBe(600)
})

test('a member whom the engine does not know any more is forgotten', async () => {
  const { member, settle, engine, gateway } = rig()
  const client = await member('ann', 'room')
  engine.onRequest = (request) => {
    if (request.kind === 'attach') engine.say(engine.answer(request, [[34, null, 'not_member', 'gone']], null, 1))
  }
  engine.lose()
  engine.heartbeat()
  await settle()
  expect(client.take()).toMatchObject([[34, null, 'not_member', 'gone']])
  expect(gateway.held().rooms).toBe(0)
})

test('a member who was kicked while it waited for an Attach is not attached by its resend', async () => {
  const { member, time, settle, engine, faults } = rig()
  await member('ann', 'room')
  await member('bob', 'room')
  engine.requests.length = 0
  faults.loses = (_subject, { kind }) => kind === 'attach'
  engine.lose()
  engine.say({ kind: 'close', room: 'room', conn: 1, code: null, reason: 'kicked' })
  await settle()
  faults.loses = () => false
  await time.advance(1_000)
  expect(engine.attaches.map(({ members }) => members.map(({ conn }) => conn))).toEqual([[2]])
})

test('P3 a PATCH that does not begin where the spectators stand is not published: they are attached again', async () => {
  const { member, settle, engine } = rig()
  const watchers = [await member('ann', 'room', 'spectator'), await member('bob', 'room', 'spectator')]
  engine.requests.length = 0
  engine.onRequest = () => {}
  engine.say(engine.output('room', 4, 'spectators', { document: [3, 4], emits: [[37, 'room', 4, { type: 'bang' }]] }))
  await settle()
  expect(watchers.map((client) => client.take())).toEqual([[], []])
  expect(engine.attaches).toMatchObject([
    {
      members: [
        { conn: 1, role: 'spectator', since: 1 },
        { conn: 2, since: 1 },
      ],
    },
  ])
})
