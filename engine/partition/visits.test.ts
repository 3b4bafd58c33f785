import { expect, test } from 'vitest'
import { decode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { loadGame } from '../rules/load.ts'
import { counter } from './testing/games.ts'
import { ScriptedClient, ScriptedGateway } from './testing/gateway.ts'
import { Poller } from './testing/poller.ts'
import { startWorld } from './testing/start.ts'
import { World } from './testing/world.ts'

/** ann plays on a WebSocket, bob over HTTP, eve watches over HTTP. */
const playing = async (game = counter()) => {
  const { world, ann } = await startWorld(game)
  const bob = new Poller(world.gateway, 'r', 'bob')
  const eve = new Poller(world.gateway, 'r', 'eve')
  await bob.client.join('r')
  await eve.client.join('r', { role: 'spectator' })
  await ann.call('r', 'start')
  return { world, ann, bob, eve }
}

const isConnected = (ann: ScriptedClient, player: string) => ann.document('r').room.members[player]?.connected
const room = (world: World) => world.engine.rooms.here('r')
const place = async (poller: Poller, gateway?: ScriptedGateway): Promise<ScriptedClient> => {
  const held = await poller.hold(gateway)
  if (!(held instanceof ScriptedClient)) throw new Error(`not held: ${JSON.stringify(held)}`)
  return held
}

test('a player who polls is present: for what each poll says, then for the grace, and returns with the next', async () => {
  const { world, ann, bob } = await playing()
  for (let n = 0; n < 30; n++) {
    await world.clock.advance(1_000)
    await bob.poll()
  }
  expect(isConnected(ann, 'bob')).toBe(true)
  await world.clock.advance(14_900)
  expect(isConnected(ann, 'bob')).toBe(true)
  await world.clock.advance(200)
  expect(isConnected(ann, 'bob')).toBe(false)
  await bob.poll()
  await world.gateway.settle()
  expect(isConnected(ann, 'bob')).toBe(true)
  await bob.poll(35_000)
  expect(bob.document?.room.members.bob?.connected).toBe(true)
  await world.clock.advance(39_900)
  expect(isConnected(ann, 'bob')).toBe(true)
  await world.clock.advance(200)
  expect(isConnected(ann, 'bob')).toBe(false)
})

test('what a player sends over HTTP counts as presence for 10 s, and brings who was dropped back', async () => {
  const { world, ann, bob } = await playing()
  await world.clock.advance(14_900)
  expect(isConnected(ann, 'bob')).toBe(true)
  await bob.client.move('r', 'add', 1)
  await world.clock.advance(14_900)
  expect(isConnected(ann, 'bob')).toBe(true)
  await world.clock.advance(200)
  expect(isConnected(ann, 'bob')).toBe(false)
  expect(await bob.client.move('r', 'add', 1)).toHaveProperty('ok')
  expect(isConnected(ann, 'bob')).toBe(true)
})

test('a spectator over HTTP is a member for 10 s after each request, and then JOINs again', async () => {
  const { world, eve } = await playing()
  for (let n = 0; n < 5; n++) {
    await world.clock.advance(9_000)
    expect(Array.isArray(await eve.poll())).toBe(true)
  }
  await world.clock.advance(9_000)
  expect(await eve.client.call('r', 'chat', { text: 'Psst' })).toHaveProperty('ok')
  expect(await eve.client.move('r', 'add', 1)).toMatchObject({ err: 'forbidden' })
  await world.clock.advance(10_000)
  expect(await eve.poll()).toBe('not_member')
  expect(await eve.client.call('r', 'chat', { text: 'Psst' })).toMatchObject({ err: 'not_member' })
  expect(await eve.client.move('r', 'add', 1)).toMatchObject({ err: 'not_member' })
  expect(await eve.client.leave('r')).toMatchObject({ err: 'not_member' })
  await eve.client.join('r', { role: 'spectator' })
  expect(Array.isArray(await eve.poll())).toBe(true)
})

test('LEAVE and kick end visits, and a late copy of a poll brings none back', async () => {
  const { world, ann, bob, eve } = await playing()
  const late = eve.client.publishRead('r', 0, 10_000, null)
  await world.gateway.answers(late)
  expect(await eve.client.leave('r')).toEqual({ ok: null })
  eve.client.publishRead('r', 0, 10_000, null, late)
  await world.gateway.settle()
  expect(await eve.poll()).toBe('not_member')
  await ann.call('r', 'kick', { player: 'bob' })
  expect(await bob.poll()).toBe('not_member')
  expect(await bob.client.call('r', 'chat', { text: 'Hello' })).toMatchObject({ err: 'not_member' })
  await world.gateway.settle()
  expect(room(world)?.attachments.spectators).toBe(0)
  await world.clock.advance(1_000)
  expect(ann.frames(OP.note).at(-1)).toEqual([OP.note, 'r', 'spectators', 0])
})

test('a held poll gets the next commit, disturbs no other connection, and its player is present until its visit ends', async () => {
  const { world, ann, bob } = await playing()
  const socket = world.gateway.connect('bob', { session: bob.session })
  await socket.join('r')
  await ann.move('r', 'say', { text: 'a', n: 1 })
  await bob.poll()
  const held = await place(bob)
  expect(held.rooms.get('r')?.seq).toBe(socket.rooms.get('r')?.seq)
  const elsewhere = await place(bob, new ScriptedGateway('g2', world.bus, world.clock))
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
  for (let n = 0; n < 9; n++) held.push(await place(bob))
  await world.gateway.settle()
  expect(held.map(({ closes }) => closes.length)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0])
  expect(sockets.map(({ closes }) => closes.length)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
})

test('a held poll with something to say is answered at once and attached nowhere', async () => {
  const { world, ann, bob } = await playing()
  const before = room(world)?.attachments.size
  await ann.move('r', 'add', 1)
  expect(Array.isArray(await bob.hold())).toBe(true)
  await ann.call('r', 'chat', { text: 'Hello' })
  const frames = await bob.hold()
  expect(frames).toMatchObject([
    [OP.patch, 'r', bob.since, bob.since, []],
    [OP.note, 'r', 'chat', { text: 'Hello' }],
  ])
  expect(room(world)?.attachments.size).toBe(before)
})

test('a stream takes the place of the other connections of its session, also at another gateway; a WebSocket that JOINs takes its place', async () => {
  const { world, bob } = await playing()
  const g2 = new ScriptedGateway('g2', world.bus, world.clock)
  const { session } = bob
  const socket = world.gateway.connect('bob', { session })
  socket.ref = bob.client.ref
  await socket.join('r')
  await bob.poll()
  const held = await place(bob)
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
  const held = await place(eve)
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
  expect(room(world)?.attachments.of('bob')).toHaveLength(1)
  await stream.drop()
  stream.publishRead('r', 0, 10_000, 'stream', id)
  await world.gateway.settle()
  expect(room(world)?.attachments.of('bob')).toEqual([])
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
  expect(room(world)?.attachments.of('bob')).toEqual([])
})

test('a held Read whose first answer was lost, and that is answered otherwise when it is sent again, is attached nowhere', async () => {
  const { world, ann, bob } = await playing()
  await bob.poll()
  const connection = world.gateway.connect('bob', { session: bob.session })
  const attached = () => room(world)?.attachments.of('bob').length
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
  const since = room(world)?.state.seq ?? 0
  held.publishRead('r', since, 10_000, 'held', said)
  stream.publishRead('r', 0, 10_000, 'stream', refused)
  await world.gateway.settle()
  expect(room(world)?.attachments.of('bob')).toEqual([])
  expect(room(world)?.attachments.of('eva')).toEqual([])
})

test('what passes beside the log is kept for who polls: once, not what they sent themselves, and never for who may not hear it', async () => {
  const face = `everyone: (s) => ({ sum: s.context.sum }), channels: {
    dot: { maxBytes: 8, rate: 100, from: () => true, to: (s, p, v) => v !== null } }`
  const { world, ann, bob, eve } = await playing(counter({ face }))
  await bob.poll()
  await eve.poll()
  ann.send('r', [[OP.cast, 'r', 'dot', 1]])
  bob.client.send('r', [[OP.cast, 'r', 'dot', 2]])
  await ann.call('r', 'chat', { text: 'Hello, Bob' })
  await eve.client.call('r', 'chat', { text: 'Psst' })
  await bob.client.call('r', 'chat', { text: 'Hello, Ann' })
  expect(ann.frames(OP.castOut)).toMatchObject([[OP.castOut, 'r', 'bob', 'dot', 2]])
  await bob.poll()
  await bob.poll()
  await eve.poll()
  expect(bob.inbox.filter(([op]) => op === OP.castOut)).toEqual([[OP.castOut, 'r', 'ann', 'dot', 1]])
  expect(bob.topic('chat')).toMatchObject([{ text: 'Hello, Bob' }, { text: 'Hello, Ann' }])
  expect(eve.inbox.filter(([op]) => op === OP.castOut)).toEqual([])
  expect(eve.topic('chat')).toMatchObject([{ text: 'Psst' }])
  // To the same player's other session it goes.
  const other = new Poller(world.gateway, 'r', 'bob', 'another-session-of-bob')
  await other.poll()
  bob.client.send('r', [[OP.cast, 'r', 'dot', 3]])
  await world.gateway.settle()
  await bob.poll()
  await other.poll()
  expect([bob.casts().length, other.casts().length]).toEqual([1, 1])
})

test('P4 private: in a night and a day of mafia a poll is told what a WebSocket of the same member is told, and nothing else', async () => {
  const { world, ann } = await startWorld(await loadGame('games/mafia'), { night: 60, day: 60 })
  const others = ['bob', 'cas', 'dan', 'eve'].map((name) => world.gateway.connect(name))
  for (const client of others) await client.join('r')
  const watcher = world.gateway.connect('fay')
  await watcher.join('r', { role: 'spectator' })
  const all = [ann, ...others]
  const polling = [...all, watcher].map((client) => ({
    client,
    poller: new Poller(world.gateway, 'r', client.player, 'the-session-that-polls'),
  }))
  for (const { poller } of polling) await poller.poll()
  await world.clock.advance(1_000)
  for (const { poller } of polling) await poller.poll()
  for (const { client, poller } of polling) [client.inbox.length, poller.inbox.length] = [0, 0]
  await ann.call('r', 'start')
  const role = (client: ScriptedClient) => (client.document('r').game as Record<string, unknown>).role
  const killer = all.find((client) => role(client) === 'mafia') ?? ann
  const town = all.filter((client) => client !== killer)
  const [victim, ...living] = town
  await killer.call('r', 'chat', { text: 'Whom?', to: 'mafia' })
  await killer.move('r', 'vote', { target: victim?.player ?? '' })
  await victim?.call('r', 'chat', { text: 'It was them', to: 'dead' })
  await living[0]?.call('r', 'chat', { text: 'Good morning' })
  await watcher.call('r', 'chat', { text: 'Poor them' })
  await world.gateway.settle()
  const beside = (inbox: ScriptedClient['inbox']) => inbox.filter(([op]) => op === OP.note || op === OP.castOut)
  for (const { client, poller } of polling) {
    await poller.poll()
    expect(beside(poller.inbox)).toEqual(beside(client.inbox))
    expect(poller.document).toEqual(client.document('r'))
    const texts = poller.topic('chat').map((line) => Reflect.get(Object(line), 'text'))
    expect(texts.includes('Whom?')).toBe(client === killer)
    expect(texts.includes('It was them')).toBe(client === victim)
    expect(texts.includes('Good morning')).toBe(true)
    expect(texts.includes('Poor them')).toBe(client === watcher)
  }
})

test('a session that sends over HTTP and listens to a stream does not hear its own CASTs, and nothing is kept for it', async () => {
  const face = `everyone: (s) => ({ sum: s.context.sum }), channels: { dot: { maxBytes: 8, rate: 100, from: () => true, to: () => true } }`
  const { world, ann, bob } = await playing(counter({ face }))
  await bob.poll()
  const stream = world.gateway.connect('bob', { session: bob.session })
  await stream.stream('r')
  bob.client.send('r', [[OP.cast, 'r', 'dot', 1]])
  ann.send('r', [[OP.cast, 'r', 'dot', 2]])
  await world.gateway.settle()
  expect(stream.frames(OP.castOut)).toMatchObject([[OP.castOut, 'r', 'ann', 'dot', 2]])
  await bob.poll()
  expect(bob.casts()).toEqual([])
  await stream.drop()
  ann.send('r', [[OP.cast, 'r', 'dot', 3]])
  await world.gateway.settle()
  await bob.poll()
  expect(bob.inbox.filter(([op]) => op === OP.castOut)).toMatchObject([[OP.castOut, 'r', 'ann', 'dot', 3]])
})

test('P5 bounded: 32 frames and 16 KiB are kept, the newest', async () => {
  const face = `everyone: (s) => ({ sum: s.context.sum }), channels: { dot: { maxBytes: 4000, rate: 1000, from: () => true, to: () => true } }`
  const { world, ann, bob } = await playing(counter({ face }))
  await world.clock.advance(1_000)
  await bob.poll()
  for (let n = 0; n < 100; n++) ann.send('r', [[OP.cast, 'r', 'dot', n]])
  await world.gateway.settle()
  await bob.poll()
  const payloads = bob.inbox.flatMap((frame) => (frame[0] === OP.castOut ? [frame[4]] : []))
  expect(payloads).toEqual(Array.from({ length: 32 }, (_, n) => 68 + n))
  for (let n = 0; n < 20; n++) ann.send('r', [[OP.cast, 'r', 'dot', new Uint8Array(4_000)]])
  await world.gateway.settle()
  const before = bob.bytes.length
  await bob.poll()
  const bytes = bob.bytes.slice(before).reduce((sum, frame) => sum + frame.length, 0)
  expect(bytes).toBeGreaterThan(4_000)
  expect(bytes).toBeLessThan(17_000)
})

test('who comes is told the chat so far, once, and who polls on only what is new', async () => {
  const { world, ann, bob } = await playing()
  await ann.call('r', 'chat', { text: 'One' })
  await bob.poll()
  expect(bob.topic('chat')).toMatchObject([{ text: 'One' }])
  await ann.call('r', 'chat', { text: 'Two' })
  await bob.poll()
  expect(bob.topic('chat')).toMatchObject([{ text: 'One' }, { text: 'Two' }])
  await world.clock.advance(60_000)
  await ann.call('r', 'chat', { text: 'Three' })
  await bob.poll()
  expect(bob.topic('chat').slice(2)).toMatchObject([{ text: 'One' }, { text: 'Two' }, { text: 'Three' }])
  const stream = world.gateway.connect('bob', { session: bob.session })
  stream.rooms.set('r', { role: 'player', seq: bob.since, heard: bob.since, document: bob.document })
  await stream.stream('r', bob.since)
  expect(stream.frames(OP.note).filter(([, , topic]) => topic === 'chat')).toHaveLength(3)
  // Who reads from the start has nothing.
  bob.since = 0
  await stream.drop()
  await bob.poll()
  bob.since = 0
  await bob.poll()
  expect(bob.topic('chat').slice(5)).toMatchObject([
    { text: 'One' },
    { text: 'Two' },
    { text: 'Three' },
    { text: 'One' },
    { text: 'Two' },
    { text: 'Three' },
  ])
})

test('who may write where is told to those who only poll', async () => {
  const world = await World.start([await loadGame('games/mafia')])
  const pollers = ['ann', 'bob', 'cas', 'dan', 'eve'].map((name) => new Poller(world.gateway, 'r', name))
  const [ann] = pollers
  await ann?.client.create('r', 'mafia', { night: 60, day: 60 })
  for (const { client } of pollers) await client.join('r')
  for (const poller of pollers) await poller.poll()
  await ann?.client.call('r', 'start')
  for (const poller of pollers) {
    await poller.poll()
    const isMafia = Reflect.get(Object(poller.document?.game), 'role') === 'mafia'
    expect(poller.topic('chat.audiences')).toEqual([{ to: isMafia ? ['mafia'] : [] }])
  }
})

test('P5 bounded: the rate of chat holds on while a player is here by any means, and is forgotten with the last', async () => {
  const { world, bob } = await playing()
  const socket = world.gateway.connect('bob')
  await socket.join('r')
  await bob.poll()
  for (let n = 0; n < 5; n++) expect(await socket.call('r', 'chat', { text: `${n}` })).toHaveProperty('ok')
  await socket.drop()
  expect(await bob.client.call('r', 'chat', { text: 'too many' })).toMatchObject({ err: 'rate_limited' })
})

test('spectators over HTTP count as those on a WebSocket do, and the others are told anew only when their number changes', async () => {
  const { world, ann, eve } = await playing()
  const counts = () => ann.frames(OP.note).flatMap(([, , topic, data]) => (topic === 'spectators' ? [data] : []))
  await world.clock.advance(1_000)
  expect(counts().at(-1)).toBe(1)
  const socket = world.gateway.connect('dan')
  await socket.join('r', { role: 'spectator' })
  await world.clock.advance(1_000)
  expect(counts().at(-1)).toBe(2)
  await eve.poll()
  const told = counts().length
  for (let n = 0; n < 5; n++) {
    const held = await place(eve)
    await world.clock.advance(3_000)
    await held.drop()
    await eve.poll()
  }
  expect(counts().length).toBe(told)
  await socket.drop()
  await world.clock.advance(1_000)
  expect(counts().at(-1)).toBe(1)
  await eve.poll()
  expect(eve.topic('spectators').at(-1)).toBe(1)
  await world.clock.advance(37_000)
  expect(counts().at(-1)).toBe(0)
})

test('P5 bounded: a poll of one of many spectators asks nothing of the others, and shows the rules once for all', async () => {
  let viewed = 0
  const game = counter()
  const { only } = game.runner
  const counting: Partial<typeof game.runner> = {
    only: (...about) => {
      viewed += 1
      return only.apply(game.runner, about)
    },
  }
  const { world, ann } = await playing({ ...game, runner: Object.assign(Object.create(game.runner), counting) })
  const watchers = Array.from({ length: 200 }, (_, n) => new Poller(world.gateway, 'r', `w${n}`))
  for (const watcher of watchers) {
    await watcher.client.join('r', { role: 'spectator' })
    await watcher.poll()
  }
  viewed = 0
  await ann.move('r', 'add', 1)
  await ann.call('r', 'chat', { text: 'Hello' })
  for (const watcher of watchers) await watcher.poll()
  expect(watchers.map(({ document }) => document?.game)).toEqual(watchers.map(() => ({ sum: 1, own: 'watching' })))
  expect(viewed).toBeLessThan(10)
})

test('a room in which somebody polls stays in memory', async () => {
  const { world, ann, bob, eve } = await playing()
  await ann.leave('r')
  await bob.client.leave('r')
  for (let n = 0; n < 30; n++) {
    await world.clock.advance(9_000)
    expect(Array.isArray(await eve.poll())).toBe(true)
  }
  await world.clock.advance(100_000)
  expect(room(world)).toBeUndefined()
})

test('who polls on after the engine died goes on at once, a player and a spectator', async () => {
  const { world, ann, bob, eve } = await playing()
  await bob.poll()
  await eve.poll()
  await world.crash(['r'])
  expect(Array.isArray(await bob.poll())).toBe(true)
  expect(Array.isArray(await eve.poll())).toBe(true)
  await ann.move('r', 'add', 4)
  await bob.poll()
  await eve.poll()
  expect([bob.document?.game, eve.document?.game]).toMatchObject([{ sum: 4 }, { sum: 4 }])
  await world.clock.advance(6_000)
  expect(isConnected(ann, 'bob')).toBe(true)
})
