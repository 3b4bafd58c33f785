import { expect, test } from 'vitest'
import { decode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { counter } from './testing/games.ts'
import { type ScriptedClient, ScriptedGateway } from './testing/gateway.ts'
import { heldPoll, isConnected, liveRoom, playing } from './testing/playing.ts'

test('a held poll gets the next commit, disturbs no other connection, and its player is present until its visit ends', async () => {
  const { world, ann, bob } = await playing()
  const socket = world.gateway.connect('bob', { session: bob.session })
  await socket.join('r')
  await ann.move('r', 'say', { text: 'a', n: 1 })
  await bob.poll()
  const held = await heldPoll(bob)
  expect(held.rooms.get('r')?.seq).toBe(socket.rooms.get('r')?.seq)
  const elsewhere = await heldPoll(bob, new ScriptedGateway('g2', world.bus, world.clock))
  expect(socket.closes).toEqual([])
  await ann.move('r', 'add', 3)
  await world.gateway.settle()
  for (const client of [held, elsewhere, socket]) expect(client.document('r').game).toEqual({ sum: 3, own: 0 })
  await socket.drop()
  await world.clock.advance(60_000)
  expect(isConnected(ann, 'bob')).toBe(true)
  await held.drop()
  await elsewhere.drop()
  await world.clock.advance(4_900)
  expect(isConnected(ann, 'bob')).toBe(true)
  await world.clock.advance(200)
  expect(isConnected(ann, 'bob')).toBe(false)
  expect(world.gateway.violations).toEqual([])
})

test('P5 bounded: held polls push out held polls, and no WebSocket', async () => {
  const { world, bob } = await playing()
  const sockets = Array.from({ length: 8 }, () => world.gateway.connect('bob'))
  for (const socket of sockets) await socket.join('r')
  await bob.poll()
  const held: ScriptedClient[] = []
  for (let n = 0; n < 9; n++) held.push(await heldPoll(bob))
  await world.gateway.settle()
  expect(held.map(({ closes }) => closes.length)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0])
  expect(sockets.map(({ closes }) => closes.length)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
})

test('a held poll with something to say is answered at once and attached nowhere', async () => {
  const { world, ann, bob } = await playing()
  const before = liveRoom(world)?.attachments.size
  await ann.move('r', 'add', 1)
  expect(Array.isArray(await bob.hold())).toBe(true)
  await ann.call('r', 'chat', { text: 'Hello' })
  const frames = await bob.hold()
  expect(frames).toMatchObject([
    [OP.patch, 'r', bob.since, bob.since, []],
    [OP.note, 'r', 'chat', { text: 'Hello' }],
  ])
  expect(liveRoom(world)?.attachments.size).toBe(before)
})

test('a stream takes the place of the other connections of its session, also at another gateway; a WebSocket that JOINs takes its place', async () => {
  const { world, bob } = await playing()
  const g2 = new ScriptedGateway('g2', world.bus, world.clock)
  const { session } = bob
  const socket = world.gateway.connect('bob', { session })
  socket.ref = bob.client.ref
  await socket.join('r')
  await bob.poll()
  const held = await heldPoll(bob)
  const other = world.gateway.connect('bob')
  await other.join('r')
  const stream = g2.connect('bob', { session })
  expect(await stream.stream('r')).toMatchObject({ role: 'player', ref: socket.ref })
  const taken = ['This session was opened somewhere else.']
  expect([socket.closes, held.closes, other.closes]).toEqual([taken, taken, []])
  // The JOIN of the WebSocket comes once more, late, and at a third gateway one that is older.
  const g3 = new ScriptedGateway('g3', world.bus, world.clock)
  const late = g3.connect('bob', { session })
  await late.ask('r', [OP.join, socket.ref, 'r', {}])
  expect(stream.closes).toEqual([])
  const newer = g3.connect('bob', { session })
  newer.ref = socket.ref
  await newer.join('r')
  expect(stream.closes).toEqual(taken)
  const again = world.gateway.connect('bob', { session })
  await again.stream('r')
  expect(newer.closes).toEqual(taken)
})

test('a stream that was opened before another does not take its place back: not attached again, nor by a late copy of its Read', async () => {
  const { world, bob } = await playing()
  const g2 = new ScriptedGateway('g2', world.bus, world.clock)
  const [older, newer] = [
    world.gateway.connect('bob', { session: bob.session }),
    g2.connect('bob', { session: bob.session }),
  ]
  const id = older.publishRead('r', 0, 10_000, 'stream')
  const [answer] = await world.gateway.answers(id)
  const { conn, session, player, name } = older
  expect(await newer.stream('r')).toMatchObject({ ref: answer?.attached?.ref })
  expect(older.closes).toHaveLength(1)
  older.publishRead('r', 0, 10_000, 'stream', id)
  await world.gateway.settle()
  expect(newer.closes).toEqual([])
  const ref = answer?.attached?.ref ?? null
  const who = { conn: conn ?? 0, session, player: { id: player, name }, ref, as: 'stream' as const }
  const members = [{ ...who, role: 'player' as const, since: 0, heard: 0 }]
  await world.gateway.answers(
    world.gateway.publish((id) => ({ kind: 'attach', gateway: 'g1', id, room: 'r', members })),
  )
  await world.gateway.settle()
  expect(newer.closes).toEqual([])
})

test('a stream knows the JOIN over HTTP that it follows: an older one that comes late does not end it', async () => {
  const { world, bob } = await playing()
  bob.client.ref = 50
  await bob.client.join('r')
  const stream = world.gateway.connect('bob', { session: bob.session })
  expect(await stream.stream('r')).toMatchObject({ ref: 51 })
  const late = new ScriptedGateway('g2', world.bus, world.clock).connect('bob', { session: bob.session })
  await late.ask('r', [OP.join, 49, 'r', {}])
  expect(stream.closes).toEqual([])
  await late.ask('r', [OP.join, 52, 'r', {}])
  expect(stream.closes).toHaveLength(1)
})

test('P4 private: the stream of who takes a seat over HTTP is sent what the player may see, and no other spectator is', async () => {
  const { world, eve } = await playing(counter({ head: 'dropIn: true' }))
  await world.gateway.connect('wat').join('r', { role: 'spectator' })
  const stream = world.gateway.connect('eve', { session: eve.session })
  await stream.stream('r')
  const before = world.gateway.items.length
  await eve.client.join('r')
  await world.gateway.settle()
  const parts = world.gateway.items.slice(before).flatMap((item) => (item.kind === 'output' ? item.parts : []))
  expect(parts.filter(({ document }) => document?.from === null).map(({ to }) => to)).toEqual([[stream.conn]])
})

test('another socket of who takes a seat is sent what the player may see, and the one that joined has it with its answer', async () => {
  const { world } = await playing(counter({ head: 'dropIn: true' }))
  const other = world.gateway.connect('wat', { session: 'another-session-of-wat' })
  await other.join('r', { role: 'spectator' })
  const mine = world.gateway.connect('wat')
  await mine.join('r', { role: 'spectator' })
  const before = world.gateway.items.length
  await mine.join('r')
  await world.gateway.settle()
  const parts = world.gateway.items.slice(before).flatMap((item) => (item.kind === 'output' ? item.parts : []))
  const states = parts.filter(({ document }) => document?.from === null)
  expect(states.map(({ to }) => to)).toEqual([[other.conn]])
  expect(decode(states[0]?.document?.frame ?? new Uint8Array())).toMatchObject([
    OP.state,
    'r',
    expect.any(Number),
    { game: { own: 0 } },
  ])
})

test('a player whose stream ends is dropped after the grace, whatever was sent before; a spectator may come back within 10 s', async () => {
  const { world, ann, bob, eve } = await playing()
  const [stream, watching] = [
    world.gateway.connect('bob', { session: bob.session }),
    world.gateway.connect('eve', { session: eve.session }),
  ]
  await stream.stream('r')
  await watching.stream('r')
  await world.clock.advance(60_000)
  expect(await bob.client.move('r', 'add', 1)).toHaveProperty('ok')
  expect(watching.document('r').game).toMatchObject({ sum: 1 })
  await stream.drop()
  await watching.drop()
  await world.clock.advance(4_900)
  expect(isConnected(ann, 'bob')).toBe(true)
  await world.clock.advance(200)
  expect(isConnected(ann, 'bob')).toBe(false)
  const back = world.gateway.connect('eve', { session: eve.session })
  expect(await back.stream('r')).toMatchObject({ role: 'spectator' })
  await back.drop()
  await world.clock.advance(10_000)
  expect(await world.gateway.connect('eve', { session: eve.session }).stream('r')).toBe('not_member')
})

test('a held poll and a stream that are attached again at a new engine are what they were', async () => {
  const { world, eve } = await playing()
  const g2 = new ScriptedGateway('g2', world.bus, world.clock)
  const stream = g2.connect('eve', { session: eve.session })
  const at = await stream.stream('r')
  await eve.poll()
  const held = await heldPoll(eve)
  await world.crash()
  const again = (gateway: ScriptedGateway, client: ScriptedClient, as: 'held' | 'stream') => {
    const { conn, session } = client
    const { seq: since = 0, heard = 0 } = client.rooms.get('r') ?? {}
    const ref = as === 'stream' && typeof at === 'object' ? (at?.ref ?? null) : null
    const member = { conn: conn ?? 0, session, player: { id: 'eve', name: 'eve' }, role: 'spectator' as const }
    const members = [{ ...member, since, heard, ref, as }]
    return gateway.answers(gateway.publish((id) => ({ kind: 'attach', gateway: gateway.name, id, room: 'r', members })))
  }
  await again(g2, stream, 'stream')
  await again(world.gateway, held, 'held')
  expect([held.closes, stream.closes]).toEqual([[], []])
  await held.drop()
  await world.clock.advance(20_000)
  await stream.drop()
  await world.clock.advance(9_900)
  expect(Array.isArray(await eve.poll())).toBe(true)
})

test('who polls while the stream ends stays, and who polls and joins on a WebSocket goes with it', async () => {
  const { world, ann, bob } = await playing()
  const stream = world.gateway.connect('bob', { session: bob.session })
  await stream.stream('r')
  await bob.poll()
  await stream.drop()
  await world.clock.advance(9_000)
  expect(isConnected(ann, 'bob')).toBe(true)
  await bob.poll()
  const socket = world.gateway.connect('bob', { session: bob.session })
  await socket.join('r')
  await socket.drop()
  await world.clock.advance(5_000)
  expect(isConnected(ann, 'bob')).toBe(false)
})

test('a Read that is sent again is answered again and attaches once; one that comes after its Detach attaches nothing', async () => {
  const { world, ann, bob } = await playing()
  await bob.poll()
  const stream = world.gateway.connect('bob', { session: bob.session })
  const id = stream.publishRead('r', 0, 10_000, 'stream')
  stream.publishRead('r', 0, 10_000, 'stream', id)
  await world.gateway.answers(id)
  await world.gateway.settle()
  const answers = world.gateway.items.filter((item) => item.kind === 'answer' && item.id === id)
  expect(answers).toHaveLength(2)
  expect(liveRoom(world)?.attachments.of('bob')).toHaveLength(1)
  await stream.drop()
  stream.publishRead('r', 0, 10_000, 'stream', id)
  await world.gateway.settle()
  expect(liveRoom(world)?.attachments.of('bob')).toEqual([])
  // And one that waits for its turn when its connection ends.
  world.storage.hold()
  ann.send('r', [[OP.move, ann.next(), 'r', 'add', 1]])
  await world.gateway.settle()
  const short = world.gateway.connect('bob', { session: bob.session })
  short.rooms.set('r', { role: 'player', seq: 0, heard: 0, document: null })
  short.publishRead('r', 0, 10_000, 'stream')
  await world.gateway.settle()
  await short.drop()
  world.storage.release()
  await world.gateway.settle()
  expect(ann.document('r').game).toMatchObject({ sum: 1 })
  expect(liveRoom(world)?.attachments.of('bob')).toEqual([])
})

test('a held Read whose first answer was lost, and that is answered otherwise when it is sent again, is attached nowhere', async () => {
  const { world, ann, bob } = await playing()
  await bob.poll()
  const connection = world.gateway.connect('bob', { session: bob.session })
  const attached = () => liveRoom(world)?.attachments.of('bob').length
  const read = async (id?: number) => {
    connection.rooms.set('r', { role: 'player', seq: bob.since, heard: bob.since, document: bob.document })
    const sent = connection.publishRead('r', bob.since, 1_000, 'held', id)
    await world.gateway.settle()
    return sent
  }
  const first = await read()
  expect(attached()).toBe(1)
  await ann.move('r', 'add', 1)
  await read(first)
  expect(attached()).toBe(0)
  await bob.poll()
  const second = await read()
  expect(attached()).toBe(1)
  // The room has too much to do.
  world.storage.hold()
  ann.send(
    'r',
    Array.from({ length: 2_100 }, () => [OP.move, ann.next(), 'r', 'add', 1] satisfies [5, ...unknown[]]),
  )
  await world.gateway.settle()
  await read(second)
  expect(attached()).toBe(0)
})

test('a late copy of a Read that was refused, or had something to say, attaches nothing', async () => {
  const { world, bob } = await playing()
  const [held, stream] = [world.gateway.connect('bob', { session: bob.session }), world.gateway.connect('eva')]
  const said = held.publishRead('r', 0, 10_000, 'held')
  const refused = stream.publishRead('r', 0, 10_000, 'stream')
  expect(await world.gateway.answers(said)).toMatchObject([{ attached: null }])
  expect(await world.gateway.answers(refused)).toMatchObject([{ attached: null }])
  await world.gateway.connect('eva', { http: true }).join('r', { role: 'spectator' })
  const since = liveRoom(world)?.state.seq ?? 0
  held.publishRead('r', since, 10_000, 'held', said)
  stream.publishRead('r', 0, 10_000, 'stream', refused)
  await world.gateway.settle()
  expect(liveRoom(world)?.attachments.of('bob')).toEqual([])
  expect(liveRoom(world)?.attachments.of('eva')).toEqual([])
})
