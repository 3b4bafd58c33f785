import fc from 'fast-check'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { encode } from '../protocol/codec.ts'
import { PROPERTY_TEST_MS, TOLD_WITH_SEED } from '../test/property.ts'
import { rig } from './testing/rig.ts'

/** The frame's bytes, or those of an empty one where the codec refuses the value. */
const encodable = (frame: unknown[]): Uint8Array => {
  try {
    return encode(frame)
  } catch {
    return encode([])
  }
}

test('a HELLO gets WELCOME, a Command reaches the room, and its answer comes back', async () => {
  const { connect, engine, time, settle } = rig()
  const client = connect()
  client.send([1, { v: 1, token: 'player:ann', session: 'session-of-ann-00' }])
  await settle()
  expect(client.take()).toEqual([
    [
      32,
      {
        v: 1,
        session: 'session-of-ann-00',
        player: { id: 'ann', name: 'ann' },
        now: time.now(),
        resumed: true,
        limits: { frame: 16_384, rate: 50 },
      },
    ],
  ])
  client.send([3, 1, 'room'])
  await settle()
  expect(engine.commands).toMatchObject([
    { room: 'room', player: { id: 'ann', name: 'ann' }, session: 'session-of-ann-00', conn: 1 },
  ])
  expect(client.take()).toMatchObject([
    [33, 1, { room: 'room', role: 'player', seq: 1 }],
    [35, 'room', 1, {}],
  ])
})

test('P5 nothing is kept of 1000 connections that joined, moved and broke', async () => {
  const { member, time, settle, gateway, engine } = rig({ limits: { frame: 16_384, rate: 1_000 } })
  const clients = []
  for (let i = 0; i < 1_000; i++)
    clients.push(await member(`p${i % 100}`, `room-${i % 50}`, i % 2 ? 'player' : 'spectator'))
  engine.onRequest = (request) => {
    if (request.kind === 'detach') engine.obey(request)
  }
  for (const client of clients) client.send([5, 2, 'room', 'a'], [9, 3, 'mafia'], [6, 'room', 'wave', null])
  await settle()
  expect(gateway.counters).toMatchObject({ connections: 1_000, rooms: 50, accepted: 1_000 })
  for (const client of clients) client.socket.close(1006)
  await settle()
  expect(gateway.held()).toMatchObject({ connections: 0, rooms: 0, requests: 0, attaching: 0 })
  await time.advance(10_000)
  expect(gateway.held()).toEqual({ connections: 0, rooms: 0, requests: 0, rates: 0, attaching: 0 })
  expect(gateway.counters).toMatchObject({ connections: 0, rooms: 0 })
  expect(gateway.counters.closes.get(1006)).toBe(1_000)
})

test('P5 nor of 1000 that never said HELLO', async () => {
  const { connect, time, gateway } = rig()
  for (let i = 0; i < 1_000; i++) connect()
  await time.advance(5_000)
  expect(gateway.held()).toEqual({ connections: 0, rooms: 0, requests: 0, rates: 0, attaching: 0 })
  expect(gateway.counters.closes.get(1008)).toBe(1_000)
})

test('the end of connections reaches their rooms as one Detach per room, again until it is answered', async () => {
  const { member, time, settle, engine, faults } = rig()
  const clients = [await member('ann', 'one'), await member('bob', 'one'), await member('eve', 'two')]
  engine.requests.length = 0
  faults.loses = (_subject, { kind }) => kind === 'detach'
  for (const client of clients) client.socket.close()
  await settle()
  expect(engine.detaches).toEqual([])
  faults.loses = () => false
  await time.advance(1_000)
  expect(engine.detaches.map(({ room, conns }) => [room, conns])).toEqual([
    ['one', [1, 2]],
    ['two', [3]],
  ])
  await time.advance(10_000)
  expect(engine.detaches).toHaveLength(2)
  const late = await member('zoe', 'one')
  late.socket.close()
  await settle()
  expect(engine.detaches.at(-1)).toMatchObject({ room: 'one', conns: [4] })
})

test('a connection that ends before its JOIN is answered is detached too, and one that left is not', async () => {
  const { online, member, settle, engine } = rig()
  const left = await member('ann', 'one')
  left.send([4, 2, 'one'])
  await settle()
  const joining = await online('bob')
  engine.onRequest = () => {}
  joining.send([3, 1, 'two'])
  await settle()
  left.socket.close()
  joining.socket.close()
  await settle()
  expect(engine.detaches.map(({ room, conns }) => [room, conns])).toEqual([['two', [2]]])
})

test('an engine that takes in by a late copy who is out, or has gone, hears of the end of the connection', async () => {
  const { member, settle, engine } = rig()
  const ann = await member('ann', 'room')
  const place = { role: 'spectator', seq: 1, heard: 1 } as const
  engine.lose()
  engine.heartbeat()
  await settle()
  const [attach] = engine.attaches
  if (attach === undefined) throw new Error('nobody was attached again')
  ann.send([4, 2, 'room'])
  await settle()
  engine.say(engine.answer(attach, [], place, 1))
  await settle()
  expect(engine.detaches).toEqual([])
  ann.socket.close()
  await settle()
  engine.say(engine.answer(attach, [], place, 1))
  await settle()
  expect(engine.detaches.map(({ room, conns }) => [room, conns])).toEqual([
    ['room', [1]],
    ['room', [1]],
  ])
})

test('a JOIN that waits behind one that was refused is detached too', async () => {
  const { online, settle, engine } = rig()
  const client = await online('ann')
  engine.onRequest = () => {}
  client.send([3, 1, 'room'])
  await settle()
  client.send([3, 2, 'room'])
  const [first] = engine.commands
  if (first) engine.say(engine.answer(first, [[34, 1, 'room_full', 'full']]))
  await settle()
  client.socket.close()
  await settle()
  expect(engine.detaches).toMatchObject([{ room: 'room', conns: [1] }])
})

test('P5 a connection joins at most 64 rooms; leaving one, or being refused by one, makes place', async () => {
  const { online, settle, engine } = rig({ limits: { frame: 16_384, rate: 1_000 } })
  const client = await online('ann')
  for (let i = 1; i <= 64; i++) client.send([3, i, `room-${i}`])
  client.send([3, 65, 'one-more'])
  await settle()
  expect(client.take().filter(([op]) => op === 34)).toMatchObject([[34, 65, 'forbidden', expect.any(String)]])
  client.send([3, 66, 'room-1'], [4, 67, 'room-2'])
  await settle()
  engine.onRequest = (request) => {
    if (request.kind === 'command') engine.say(engine.answer(request, [[34, 68, 'not_found', 'no such room']]))
  }
  client.send([3, 68, 'refused'])
  await settle()
  engine.onRequest = (request) => engine.obey(request)
  client.send([3, 69, 'one-more'], [3, 70, 'too-many'])
  await settle()
  expect(client.take().filter(([op]) => op === 34)).toMatchObject(
    [
      [34, 68, 'not_found', {}],
      [34, 70, 'forbidden', {}],
    ].map(([op, ref, code]) => [op, ref, code, expect.any(String)]),
  )
})

test('PING is answered here, with the server’s time', async () => {
  const { online, time, settle, engine } = rig()
  const client = await online('ann')
  client.send([8, 12.5])
  await settle()
  expect(client.take()).toEqual([[39, 12.5, time.now()]])
  expect(engine.requests).toEqual([])
})

test('P5 the rate is per player, over all connections: a burst of twice it, then ERR rate_limited with the wait', async () => {
  const { connect, online, time, settle, gateway } = rig()
  const clients = [await online('ann'), await online('ann')]
  const other = await online('bob')
  for (let i = 0; i < 51; i++) for (const client of clients) client.send([8, i])
  other.send([8, 0])
  await settle()
  const answers = clients.flatMap((client) => client.take())
  expect(answers.filter(([op]) => op === 39)).toHaveLength(100)
  expect(answers.filter(([op]) => op === 34)).toEqual([
    [34, null, 'rate_limited', expect.any(String), { retryAfter: 20 }],
    [34, null, 'rate_limited', expect.any(String), { retryAfter: 20 }],
  ])
  expect(other.take()).toMatchObject([[39, 0, expect.any(Number)]])
  expect(gateway.counters.rateLimited).toBe(2)
  for (const client of clients) client.socket.close()
  await time.advance(200)
  const again = connect()
  again.send([1, { v: 1, token: 'player:ann' }])
  for (let i = 0; i < 20; i++) again.send([5, i + 1, 'room', 'a'])
  await settle()
  expect(
    again
      .take()
      .filter(([op]) => op === 34)
      .map(([, ref]) => ref),
  ).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
})

test('P5 guests of one address share 20 times the rate; players with tokens of their own do not', async () => {
  const { connect, online, settle } = rig({ limits: { frame: 16_384, rate: 1 } })
  const count = async (kind: string) => {
    const clients = Array.from({ length: 30 }, (_, i) => {
      const client = connect({ address: '192.0.2.1' })
      client.send([1, { v: 1, token: `${kind}:${kind}-${i}` }], [8, 1], [8, 2])
      return client
    })
    await settle()
    return clients.flatMap((client) => client.take()).filter(([op]) => op === 39).length
  }
  expect(await count('player')).toBe(60)
  expect(await count('guest')).toBe(40)
  const elsewhere = await online('zoe')
  elsewhere.send([8, 1])
  await settle()
  expect(elsewhere.take()).toHaveLength(1)
})

test('what the address refuses does not count in the guest’s own rate', async () => {
  const { connect, settle } = rig({ limits: { frame: 16_384, rate: 1 } })
  const guest = (id: string, address: string) => {
    const client = connect({ address })
    client.send([1, { v: 1, token: `guest:${id}` }], [8, 1], [8, 2])
    return client
  }
  for (let i = 0; i < 20; i++) guest(`g${i}`, '192.0.2.1')
  const refused = guest('ann', '192.0.2.1')
  const elsewhere = guest('ann', '192.0.2.2')
  await settle()
  expect(refused.take().map(([op]) => op)).toEqual([32, 34, 34])
  expect(elsewhere.take().map(([op]) => op)).toEqual([32, 39, 39])
})

test('CAST and INPUT do not count in the rate, and above ten times it are dropped without a word', async () => {
  const { member, settle, engine, gateway } = rig({ limits: { frame: 16_384, rate: 10 } })
  const client = await member('ann', 'room')
  engine.requests.length = 0
  for (let i = 0; i < 210; i++) {
    client.send(i % 2 ? [6, 'room', 'wave', i] : [10, 'room', i])
    await settle()
  }
  expect(engine.commands.flatMap(({ frames }) => frames)).toHaveLength(200)
  expect(gateway.counters.dropsEphemeral).toBe(10)
  client.send([8, 1])
  await settle()
  expect(client.take()).toMatchObject([[39, 1, expect.any(Number)]])
})

test('a peer that gives no sign of life is cut within 30 s; one that answers pings, or sends, stays', async () => {
  const { online, time, gateway } = rig()
  const dead = await online('ann')
  const idle = await online('bob')
  dead.socket.pause()
  await time.advance(20_000)
  expect(gateway.held().connections).toBe(2)
  await time.advance(10_000)
  expect(gateway.held().connections).toBe(1)
  await time.advance(120_000)
  expect(idle.closed).toBeNull()
  expect(gateway.counters.closes.get(1006)).toBe(1)
})

test('draining: BYE to all, spread over time; what is under way is answered, what is new is refused; then 1012', async () => {
  const { member, connect, time, settle, engine, gateway } = rig()
  const clients = [await member('ann', 'room'), await member('bob', 'room')]
  engine.onRequest = () => {}
  clients[0]?.send([5, 2, 'room', 'a'])
  await settle()
  let drained = false
  const draining = gateway.drain().then(() => {
    drained = true
  })
  await settle()
  expect(gateway.isDraining).toBe(true)
  const byes = clients.map((client) => client.take())
  expect(byes).toEqual([1, 2].map(() => [[41, 'restarting', { retryAfter: expect.any(Number), resume: true }]]))
  const waits = byes.map(([bye]) => Object(bye?.[2]).retryAfter)
  expect(new Set(waits).size).toBe(2)
  clients[0]?.send([5, 3, 'room', 'b'], [8, 1])
  await time.advance(500)
  expect(clients[0]?.take()).toMatchObject([
    [34, 3, 'unavailable', expect.any(String)],
    [39, 1, expect.any(Number)],
  ])
  expect(drained).toBe(false)
  const [command] = engine.commands.slice(-1)
  if (command) engine.say(engine.answer(command, [[33, 2]]))
  await time.advance(200)
  await draining
  expect(clients[0]?.take()).toEqual([[33, 2]])
  expect(clients.map(({ closed }) => closed?.code)).toEqual([1012, 1012])
  const late = connect()
  await settle()
  expect(late.received).toMatchObject([[41, 'restarting', { resume: true }]])
  expect(late.closed).toMatchObject({ code: 1012 })
})

test('draining does not wait longer than 3 s for answers that do not come', async () => {
  const { member, time, settle, engine, gateway } = rig()
  const client = await member('ann', 'room')
  engine.onRequest = () => {}
  client.send([5, 2, 'room', 'a'])
  await settle()
  const draining = gateway.drain()
  await time.advance(3_100)
  await draining
  expect(client.closed).toMatchObject({ code: 1012 })
})

test('after close nothing of the gateway runs on', async () => {
  const { member, connect, time, gateway, engine } = rig()
  const client = await member('ann', 'room')
  connect()
  engine.onRequest = () => {}
  engine.lose()
  engine.heartbeat()
  await time.advance(0)
  client.send([5, 2, 'room', 'a'], [5, 3, 'other', 'a'])
  await time.advance(0)
  gateway.close()
  const { timers } = time
  expect(timers).toBe(0)
})

test('an Ask gets the first answer; without one it is refused after 5 s', async () => {
  const { gateway, engine, time, settle } = rig()
  const rooms = gateway.ask({ type: 'rooms', game: 'mafia' })
  await settle()
  expect(engine.requests).toMatchObject([{ kind: 'ask', about: { type: 'rooms', game: 'mafia' } }])
  engine.say({ kind: 'told', id: 1, value: { rooms: [] } }, { kind: 'told', id: 1, value: { rooms: [] } })
  await settle()
  expect(await rooms).toEqual({ rooms: [] })
  const failed = expect(gateway.ask({ type: 'games' })).rejects.toMatchObject({ code: 'unavailable' })
  await time.advance(5_000)
  await failed
})

test(
  'random bytes, and random values in the place of frames, never fail here: they close with a code, or get an answer',
  async () => {
    const { online, settle, gateway, engine } = rig({ limits: { frame: 16_384, rate: 1_000_000 } })
    const value = fc.anything({
      maxDepth: 3,
      withNullPrototype: false,
      values: [
        fc.integer(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      ],
    })
    const frame = fc
      .tuple(
        fc.integer({ min: -1, max: 45 }),
        fc.array(fc.oneof(value, fc.constant('room'), fc.nat()), { maxLength: 5 }),
      )
      .map(([op, rest]) => encodable([op, ...rest]))
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 40 }), frame), async (bytes) => {
        const client = await online('ann')
        client.socket.send(bytes)
        client.send([8, 1])
        await settle()
        if (client.closed) expect(client.closed.code).toBe(4000)
        else expect(client.take()).toContainEqual([39, 1, expect.any(Number)])
        client.socket.close()
      }),
      { numRuns: 300, ...TOLD_WITH_SEED },
    )
    for (const { frames } of engine.commands) expect(frames.length).toBeGreaterThan(0)
    expect(gateway.counters.closes.get(1012)).toBeUndefined()
  },
  PROPERTY_TEST_MS,
)

test('a failure of ours ends only the connection that met it, and is logged without what it sent', async () => {
  const lines: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => lines.push(line) })
  const { online, settle } = rig({ log, clusterKey: Object(null) })
  const [client, other] = [await online('ann'), await online('bob')]
  client.send([2, 1, 'a-secret-of-ann'])
  other.send([8, 1])
  await settle()
  expect(client.closed).toMatchObject({ code: 1012 })
  expect(other.take()).toHaveLength(1)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('"player":"ann"')
  expect(lines[0]).not.toContain('secret')
})

test('an envelope that cannot be read is taken for lost: its engine is asked again', async () => {
  const { member, settle, engine } = rig()
  const client = await member('ann', 'room')
  engine.requests.length = 0
  engine.say({ kind: 'output', room: 'room', head: 2, parts: Object(null) })
  await settle()
  expect(engine.attaches).toMatchObject([{ room: 'room', members: [{ conn: 1, since: 1 }] }])
  expect(client.closed).toBeNull()
})
