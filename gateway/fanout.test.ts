import { expect, test } from 'vitest'
import type { ScriptedEngine } from './testing/engine.ts'
import { rig } from './testing/rig.ts'

const heads = (frames: unknown[][]) => frames.map((frame) => frame.slice(0, 4))
const bang = (seq: number) => [37, 'room', seq, { type: 'bang' }]

/** Who joins from now on is a spectator who stands there. */
const joinAt = (engine: ScriptedEngine, seq: number) => {
  const frames = [
    [33, 1],
    [35, 'room', seq, {}],
  ]
  engine.onRequest = (request) => {
    if (request.kind === 'command') engine.say(engine.answer(request, frames, { role: 'spectator', seq, heard: seq }))
  }
}

test('P3 per commit a member gets PATCH, then EMITs, then the OK', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room')
  engine.onRequest = () => {}
  client.send([5, 2, 'room', 'a'])
  await settle()
  const command = engine.commands.at(-1)
  if (!command) throw new Error('no command')
  engine.say(
    engine.output('room', 3, [1], { document: [1, 3], emits: [bang(2), bang(3)] }),
    engine.answer(command, [[33, 2, 3]]),
  )
  await settle()
  expect(heads(client.take())).toEqual([[36, 'room', 1, 3], bang(2), bang(3), [33, 2, 3]])
})

test('P4 a part goes to the connections that it names, and to no other member', async () => {
  const { member, settle, engine } = rig()
  const clients = [await member('ann', 'room'), await member('bob', 'room'), await member('eve', 'room', 'spectator')]
  engine.say(engine.output('room', 2, [2], { document: [1, 2], emits: [bang(2)] }))
  engine.say(engine.output('room', 3, 'spectators', { document: [1, 3] }))
  await settle()
  expect(clients.map((client) => heads(client.take()))).toEqual([
    [],
    [[36, 'room', 1, 2], bang(2)],
    [[36, 'room', 1, 3]],
  ])
})

test('P4 a connection that left, or never joined, gets nothing even where an engine names it', async () => {
  const { member, online, settle, engine } = rig()
  const left = await member('ann', 'room')
  const never = await online('bob')
  await member('eve', 'room')
  left.send([4, 2, 'room'])
  await settle()
  left.take()
  engine.say(engine.output('room', 2, [1, 2], { document: [null, 2], emits: [bang(2)] }))
  await settle()
  expect([left.take(), never.take()]).toEqual([[], []])
})

test('one connection in two rooms stands in each by itself', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'one')
  client.send([3, 2, 'two'])
  await settle()
  client.take()
  engine.say(engine.output('one', 2, [1], { document: [1, 2] }))
  engine.say(engine.output('two', 5, [1], { document: [1, 5] }))
  await settle()
  expect(heads(client.take())).toEqual([
    [36, 'one', 1, 2],
    [36, 'two', 1, 5],
  ])
})

test('EMITs that a connection has heard are not sent to it again', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room')
  engine.say(engine.output('room', 2, [1], { emits: [bang(2)] }))
  engine.say(engine.output('room', 2, [1], { emits: [bang(2)] }))
  await settle()
  expect(client.take()).toEqual([bang(2)])
})

test('spectators in step get what is published to their room, in order with what is sent to each', async () => {
  const { member, settle, engine } = rig()
  const watchers = [await member('ann', 'room', 'spectator'), await member('bob', 'room', 'spectator')]
  engine.onRequest = () => {}
  watchers[1]?.send([7, 2, 'room', 'chat', {}])
  await settle()
  const command = engine.commands.at(-1)
  if (!command) throw new Error('no command')
  engine.say(
    engine.output('room', 2, 'spectators', { document: [1, 2], emits: [bang(2)] }),
    engine.answer(command, [[33, 2]]),
    engine.output('room', 3, 'spectators', { document: [2, 3] }),
  )
  await settle()
  expect(watchers.map((client) => heads(client.take()))).toEqual([
    [[36, 'room', 1, 2], bang(2), [36, 'room', 2, 3]],
    [[36, 'room', 1, 2], bang(2), [33, 2], [36, 'room', 2, 3]],
  ])
})

test('a spectator that joins later gets only what comes after where it stands', async () => {
  const { member, settle, engine } = rig()
  await member('ann', 'room', 'spectator')
  await member('bob', 'room', 'spectator')
  engine.say(engine.output('room', 2, 'spectators', { document: [1, 2] }))
  await settle()
  joinAt(engine, 2)
  const late = await member('eve', 'room', 'spectator')
  engine.say(engine.output('room', 3, 'spectators', { document: [2, 3] }))
  await settle()
  expect(heads(late.take())).toEqual([[36, 'room', 2, 3]])
})

test('P3 spectators who missed a PATCH are all attached again, and one who stands further on is not', async () => {
  const { member, settle, engine } = rig()
  await member('ann', 'room', 'spectator')
  await member('bob', 'room', 'spectator')
  engine.requests.length = 0
  joinAt(engine, 5)
  const late = await member('eve', 'room', 'spectator')
  await settle()
  expect(engine.attaches.flatMap(({ members }) => members.map(({ conn, since }) => [conn, since]))).toEqual([
    [1, 1],
    [2, 1],
  ])
  engine.say(engine.output('room', 6, 'spectators', { document: [5, 6] }))
  await settle()
  expect(heads(late.take())).toEqual([[36, 'room', 5, 6]])
})

test('a spectator who becomes a player is in the audience no more', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room', 'spectator')
  await member('bob', 'room', 'spectator')
  client.send([3, 2, 'room', { role: 'player' }])
  await settle()
  client.take()
  engine.say(
    engine.output('room', 2, 'spectators', { document: [1, 2] }),
    engine.output('room', 2, [1], { document: [1, 2] }),
  )
  await settle()
  expect(heads(client.take())).toEqual([[36, 'room', 1, 2]])
})

test('P5 a peer that does not read is ended with 4003 above 64 KiB; the others go on', async () => {
  const { member, settle, engine } = rig()
  const slow = await member('ann', 'room')
  const quick = await member('bob', 'room')
  slow.socket.pause()
  const blob = { type: 'x'.repeat(7_000) }
  for (let seq = 2; seq < 14; seq++)
    engine.say(engine.output('room', seq, [1, 2], { emits: [[37, 'room', seq, blob]] }))
  await settle()
  expect(quick.take()).toHaveLength(12)
  expect(quick.closed).toBeNull()
  slow.socket.resume()
  await settle()
  expect(slow.closed).toMatchObject({ code: 4003 })
  expect(slow.take().length).toBeLessThan(12)
})

test('P5 CASTs and NOTEs are left out above 16 KiB, documents are not', async () => {
  const { member, settle, engine, gateway } = rig()
  const client = await member('ann', 'room')
  client.socket.pause()
  for (let seq = 2; seq < 6; seq++)
    engine.say(engine.output('room', seq, [1], { emits: [[37, 'room', seq, { type: 'x'.repeat(5_000) }]] }))
  engine.say(engine.output('room', 6, [1], { document: [1, 6], ephemeral: [[40, 'room', 'chat', {}]] }))
  await settle()
  client.socket.resume()
  await settle()
  const ops = client.take().map(([op]) => op)
  expect(ops).toEqual([37, 37, 37, 37, 36])
  expect(gateway.counters.dropsEphemeral).toBe(1)
  engine.say(engine.output('room', 6, [1], { ephemeral: [[40, 'room', 'chat', {}]] }))
  await settle()
  expect(client.take()).toEqual([[40, 'room', 'chat', {}]])
})

const fill = (engine: ReturnType<typeof rig>['engine'], from: number, count: number) => {
  for (let seq = from; seq < from + count; seq++)
    engine.say(engine.output('room', seq, 'spectators', { emits: [[37, 'room', seq, { type: 'x'.repeat(10_000) }]] }))
}

test('P5 a slow spectator leaves the audience, gets a STATE once it has drained, and the others miss nothing', async () => {
  const { member, time, settle, engine } = rig()
  const slow = await member('ann', 'room', 'spectator')
  const quick = await member('bob', 'room', 'spectator')
  engine.onRequest = (request) => {
    if (request.kind === 'attach')
      engine.say(engine.answer(request, [[35, 'room', 20, {}]], { role: 'spectator', seq: 20, heard: 20 }, 1))
  }
  engine.requests.length = 0
  slow.socket.pause()
  fill(engine, 2, 8)
  await time.advance(500)
  fill(engine, 10, 8)
  engine.say(engine.output('room', 20, 'spectators', { document: [1, 20] }))
  await settle()
  expect(quick.take()).toHaveLength(17)
  expect(engine.attaches).toEqual([])
  slow.socket.resume()
  await settle()
  expect(engine.attaches).toMatchObject([{ members: [{ conn: 1, role: 'spectator', since: 0 }] }])
  const frames = slow.take()
  expect(frames).toHaveLength(9)
  expect(frames.at(-1)).toEqual([35, 'room', 20, {}])
  engine.say(engine.output('room', 21, 'spectators', { document: [20, 21] }))
  await settle()
  expect(heads(slow.take())).toEqual([[36, 'room', 20, 21]])
  expect(heads(quick.take())).toEqual([[36, 'room', 20, 21]])
})

test.each([
  [29_000, 4003],
  [31_000, undefined],
])('P5 a spectator who falls behind again after %d ms: close code %s', async (pause, code) => {
  const { member, time, engine } = rig()
  const slow = await member('ann', 'room', 'spectator')
  await member('bob', 'room', 'spectator')
  slow.socket.pause()
  fill(engine, 2, 8)
  await time.advance(500)
  slow.socket.resume()
  for (let waited = 0; waited < pause; waited += 500) {
    engine.heartbeat()
    slow.send([8, 1])
    await time.advance(500)
  }
  slow.socket.pause()
  fill(engine, 20, 8)
  await time.advance(500)
  slow.socket.resume()
  await time.advance(100)
  expect(slow.closed?.code).toBe(code)
})

test('P5 a spectator whose socket drops a message before anyone looks is behind too', async () => {
  const { member, settle, engine } = rig()
  const slow = await member('ann', 'room', 'spectator')
  await member('bob', 'room', 'spectator')
  engine.requests.length = 0
  slow.socket.pause()
  for (let i = 0; i < 4; i++) {
    fill(engine, 2 + 30 * i, 30)
    await settle()
  }
  slow.socket.resume()
  await settle()
  expect(engine.attaches).toMatchObject([{ members: [{ conn: 1, since: 0 }] }])
})

test('takeover: the socket that lost its place is closed with 4002, after what went before', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room')
  engine.say(engine.output('room', 2, [1], { document: [1, 2] }), {
    kind: 'close',
    room: 'room',
    conn: 1,
    code: 4002,
    reason: 'taken over',
  })
  await settle()
  expect(heads(client.take())).toEqual([[36, 'room', 1, 2]])
  expect(client.closed).toEqual({ code: 4002, reason: 'taken over' })
})

test('a member that was kicked is told so, after what was sent before, and forgotten; its socket stays', async () => {
  const { member, settle, engine, gateway } = rig()
  const client = await member('ann', 'room')
  engine.say(
    engine.output('room', 2, [1], { document: [1, 2] }),
    { kind: 'close', room: 'room', conn: 1, code: null, reason: 'kicked' },
    engine.output('room', 3, [1], { document: [null, 3] }),
  )
  await settle()
  expect(heads(client.take())).toEqual([
    [36, 'room', 1, 2],
    [40, 'room', 'kicked', null],
  ])
  expect(client.closed).toBeNull()
  expect(gateway.held().rooms).toBe(0)
})
