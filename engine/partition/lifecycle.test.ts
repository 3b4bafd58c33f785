import { beforeAll, expect, test } from 'vitest'
import { type ClientFrame, OP } from '../../protocol/frames.ts'
import { threeInARow } from '../../test/three-in-a-row.ts'
import type { LoadedGame } from '../rules/game.ts'
import { loadGames } from '../rules/load.ts'
import { counter } from './testing/games.ts'
import { ScriptedGateway } from './testing/gateway.ts'
import { startWorld } from './testing/start.ts'
import { World } from './testing/world.ts'

let tictactoe: readonly LoadedGame[] = []
beforeAll(async () => {
  tictactoe = await loadGames(['games/tictactoe'])
})

test('P3 ordered: a game starts by itself when full, is played and ends; PATCH goes before OK', async () => {
  const world = await World.start(tictactoe)
  const [ann, bob] = [world.gateway.connect('ann'), world.gateway.connect('bob')]
  expect(await ann.create('r', 'tictactoe')).toEqual({ ok: { room: 'r' } })
  expect(await ann.join('r')).toEqual({ ok: { room: 'r', role: 'player', seq: 2 } })
  expect(ann.document('r')).toEqual({
    room: {
      phase: 'open',
      game: 'tictactoe',
      version: 1,
      host: 'ann',
      players: ['ann'],
      members: { ann: { name: 'ann', connected: true } },
    },
    game: null,
  })
  expect(await bob.join('r')).toEqual({ ok: { room: 'r', role: 'player', seq: 4 } })
  expect(ann.document('r').room.phase).toBe('playing')
  for (const [who, cell] of threeInARow(ann, bob)) {
    const before = who.inbox.length
    expect(await who.move('r', 'mark', { cell })).toHaveProperty('ok')
    expect(who.inbox.slice(before).map(([op]) => op)).toEqual([OP.patch, OP.ok])
  }
  expect(bob.document('r')).toMatchObject({ room: { phase: 'over' }, game: { winner: 'ann', turn: null } })
  expect(await bob.move('r', 'mark', { cell: 8 })).toMatchObject({ err: 'illegal_move', message: 'The game is over.' })
  expect(world.gateway.violations).toEqual([])
  await world.stop()
})

test('requests that make no sense are refused by the right code', async () => {
  const { world, ann } = await startWorld(counter())
  const eve = world.gateway.connect('eve')
  const zoe = world.gateway.connect('zoe')
  await eve.join('r', { role: 'spectator' })
  expect(await ann.create('q', 'chess')).toMatchObject({ err: 'not_found' })
  expect(await ann.join('nowhere')).toMatchObject({ err: 'not_found' })
  expect(await ann.call('r', 'dance')).toMatchObject({ err: 'not_found' })
  expect(await ann.move('r', 'jump')).toMatchObject({ err: 'invalid_payload' })
  expect(await ann.move('r', 'add', 1)).toMatchObject({ err: 'illegal_move' })
  expect(await zoe.move('r', 'add', 1)).toMatchObject({ err: 'not_member' })
  expect(await zoe.leave('r')).toMatchObject({ err: 'not_member' })
  expect(await zoe.call('r', 'start')).toMatchObject({ err: 'not_member' })
  expect(await eve.move('r', 'add', 1)).toMatchObject({ err: 'forbidden' })
  expect(await eve.call('r', 'start')).toMatchObject({ err: 'forbidden' })
  expect(await eve.call('r', 'kick', { player: 'ann' })).toMatchObject({ err: 'forbidden' })
  expect(await ann.call('r', 'kick', { player: 3 })).toMatchObject({ err: 'invalid_payload' })
  expect(await ann.call('r', 'kick', { player: 'nobody' })).toMatchObject({ err: 'not_found' })
  expect(await ann.call('r', 'again')).toMatchObject({ err: 'conflict' })
  expect(await ann.call('r', 'start')).toEqual({ ok: null })
  expect(await ann.call('r', 'start')).toMatchObject({ err: 'conflict' })
  expect(await ann.move('r', 'add', -1)).toMatchObject({ err: 'illegal_move' })
  expect(world.engine.rooms.here('r')?.state.seq).toBe(3)
})

test('a start with too few players is a conflict; seats end at the maximum; LEAVE frees one only while open', async () => {
  const { world, ann } = await startWorld(counter({ head: 'players: [2, 3]' }))
  const [bob, cas, dan] = ['bob', 'cas', 'dan'].map((id) => world.gateway.connect(id))
  if (!bob || !cas || !dan) throw new Error('three more')
  expect(await ann.call('r', 'start')).toMatchObject({ err: 'conflict', message: 'Too few players: 1 of at least 2.' })
  await bob.join('r')
  await cas.join('r')
  expect(await dan.join('r', { role: 'player' })).toMatchObject({ err: 'room_full' })
  expect(await dan.join('r')).toMatchObject({ ok: { role: 'spectator', seq: 4 } })
  expect(await cas.leave('r')).toEqual({ ok: null })
  expect(await cas.move('r', 'add', 1)).toMatchObject({ err: 'not_member' })
  expect(await dan.join('r', { role: 'player' })).toMatchObject({ ok: { role: 'player' } })
  await ann.call('r', 'start')
  expect(await dan.leave('r')).toEqual({ ok: null })
  expect(ann.document('r').room).toMatchObject({
    players: ['ann', 'bob', 'dan'],
    members: { dan: { connected: false } },
  })
  expect(await cas.join('r', { role: 'player' })).toMatchObject({ err: 'room_full' })
  expect(await dan.join('r')).toMatchObject({ ok: { role: 'player' } })
  expect(ann.document('r').room.members.dan?.connected).toBe(true)
  expect(world.gateway.violations).toEqual([])
})

test('a host who plays and leaves or drops hands over to the earliest joined connected player; one who never played stays host', async () => {
  const { world, ann } = await startWorld(counter())
  const [bob, cas] = [world.gateway.connect('bob'), world.gateway.connect('cas')]
  await bob.join('r')
  await cas.join('r')
  await bob.drop()
  await world.clock.advance(5_000)
  await ann.leave('r')
  expect(cas.document('r').room.host).toBe('cas')
  await cas.drop()
  await world.clock.advance(5_000)
  const bobAgain = world.gateway.connect('bob')
  await bobAgain.join('r')
  expect(bobAgain.document('r').room.host).toBe('bob')
  const organiser = world.gateway.connect('org')
  await organiser.create('q', 'counter')
  await bobAgain.join('q')
  expect(bobAgain.document('q').room.host).toBe('org')
  expect(await bobAgain.call('q', 'start')).toMatchObject({ err: 'forbidden' })
  expect(await organiser.call('q', 'start')).toEqual({ ok: null })
})

test('a player counts as dropped after 5 s without a connection, not before, and not where another one is left', async () => {
  const { world, ann } = await startWorld(counter())
  const bob = world.gateway.connect('bob')
  const tab = world.gateway.connect('bob')
  await bob.join('r')
  await tab.join('r')
  const seq = world.engine.rooms.here('r')?.state.seq
  await bob.drop()
  await world.clock.advance(20_000)
  expect(world.engine.rooms.here('r')?.state.seq).toBe(seq)
  await tab.drop()
  await world.clock.advance(4_999)
  expect(ann.document('r').room.members.bob?.connected).toBe(true)
  const back = world.gateway.connect('bob')
  await back.join('r')
  await back.drop()
  await world.clock.advance(4_999)
  expect(ann.document('r').room.members.bob?.connected).toBe(true)
  await world.clock.advance(1)
  expect(ann.document('r').room.members.bob?.connected).toBe(false)
  await world.gateway.connect('bob').join('r')
  expect(ann.document('r').room.members.bob?.connected).toBe(true)
})

test('a JOIN that is sent again after its player was dropped brings the player back', async () => {
  const { world, ann } = await startWorld(counter())
  const bob = world.gateway.connect('bob', { session: 'session-of-bob-00' })
  await bob.ask('r', [OP.join, 7, 'r', {}])
  await bob.drop()
  await world.clock.advance(10_000)
  expect(ann.document('r').room.members.bob?.connected).toBe(false)
  const back = world.gateway.connect('bob', { session: 'session-of-bob-00' })
  expect(await back.ask('r', [OP.join, 7, 'r', {}])).toEqual({ ok: { room: 'r', role: 'player', seq: 3 } })
  await world.gateway.settle()
  for (const client of [ann, back]) expect(client.document('r').room.members.bob?.connected).toBe(true)
  expect(world.gateway.violations).toEqual([])
})

test('spectators are not logged; a newer connection of the same session takes the place of the older', async () => {
  const { world } = await startWorld(counter())
  const written = world.storage.written.length
  const eve = world.gateway.connect('eve')
  await eve.join('r', { role: 'spectator' })
  const second = world.gateway.connect('eve', { session: eve.session })
  await second.join('r', { role: 'spectator' })
  expect(eve.closes).toEqual(['This session was opened somewhere else.'])
  await second.drop()
  await world.clock.advance(10_000)
  expect(world.storage.written).toHaveLength(written)
  expect(world.engine.rooms.here('r')?.attachments.size).toBe(1)
})

test('a JOIN that comes late, of a connection that is gone at another gateway, ends none that was attached again', async () => {
  const { world } = await startWorld(counter())
  const session = 'session-of-eve-00'
  const join = (ref: number): ClientFrame[] => [[OP.join, ref, 'r', { role: 'spectator' }]]
  const elsewhere = new ScriptedGateway('g2', world.bus, world.clock)
  const gone = elsewhere.connect('eve', { session })
  const eve = world.gateway.connect('eve', { session })
  await world.gateway.answers(eve.send('r', join(7)))
  await world.crash(['r'])
  await elsewhere.answers(gone.send('r', join(3)))
  expect(eve.closes).toEqual([])
  // A later one does end it.
  await elsewhere.answers(gone.send('r', join(8)))
  expect(eve.closes).toEqual(['This session was opened somewhere else.'])
})

test.each(['open', 'playing'])(
  'who was kicked from an %s room is out of it, and nothing of theirs is taken again',
  async (phase) => {
    const { world, ann } = await startWorld(counter())
    const bob = world.gateway.connect('bob')
    await bob.join('r')
    if (phase === 'playing') await ann.call('r', 'start')
    expect(await ann.call('r', 'kick', { player: 'bob' })).toEqual({ ok: null })
    expect(bob.closes).toEqual(['kicked'])
    expect(world.engine.rooms.here('r')?.attachments.watches('bob')).toBe(false)
    expect(await bob.join('r')).toMatchObject({ err: 'forbidden' })
    expect(await bob.join('r', { role: 'spectator' })).toMatchObject({ err: 'forbidden' })
    const http = world.gateway.connect('bob', { http: true })
    http.send('r', [[OP.move, 1, 'r', 'add', 1]])
    await world.gateway.settle()
    expect(world.engine.rooms.here('r')?.state.seq).toBe(phase === 'playing' ? 5 : 4)
    expect(ann.document('r').room.players).toEqual(phase === 'playing' ? ['ann', 'bob'] : ['ann'])
  },
)

/** A game of tictactoe that ann has won. */
const won = async () => {
  const world = await World.start(tictactoe)
  const [ann, bob] = [world.gateway.connect('ann'), world.gateway.connect('bob')]
  await ann.create('r', 'tictactoe')
  await ann.join('r')
  await bob.join('r')
  await bob.leave('r')
  expect(ann.document('r').room.phase).toBe('over')
  return { world, ann, bob }
}

test('P2 exactly once: `again` makes one room for every caller and retry, with those who are connected', async () => {
  const { world, ann, bob } = await won()
  const first = await ann.call('r', 'again')
  if (!('ok' in first)) throw new Error('again was refused')
  const next = ann.document('r').room.next ?? ''
  expect(first).toEqual({ ok: { room: next } })
  expect(await ann.ask('r', [OP.call, ann.ref, 'r', 'again'])).toEqual(first)
  await bob.join('r')
  expect(await bob.call('r', 'again')).toEqual(first)
  expect(world.engine.rooms.here(next)?.state.players).toEqual(['ann'])
  await ann.join(next)
  expect(ann.document(next).room).toMatchObject({ phase: 'open', players: ['ann'], host: 'ann' })
  expect(world.engine.rooms.counts().live).toBe(2)
})

test('who joins the room that `again` named as soon as it is shown finds it made', async () => {
  const world = await World.start(tictactoe)
  const { clock, gateway, storage } = world
  const [ann, bob] = [gateway.connect('ann'), gateway.connect('bob')]
  await ann.create('r', 'tictactoe')
  await ann.join('r')
  await bob.join('r')
  for (const [who, cell] of threeInARow(ann, bob)) await who.move('r', 'mark', { cell })
  // To look whether the room is there takes the store its time.
  const { snapshot } = storage
  storage.snapshot = async (room) => {
    await new Promise<void>((resolve) => clock.after(50, resolve))
    return snapshot(room)
  }
  ann.send('r', [[OP.call, ann.next(), 'r', 'again']])
  await clock.runUntil(() => bob.document('r').room.next !== undefined)
  const next = bob.document('r').room.next ?? ''
  await gateway.answers(bob.send(next, [[OP.join, bob.next(), next, {}]]))
  expect(bob.frames(OP.err)).toEqual([])
  expect(bob.document(next).room).toMatchObject({ phase: 'playing', players: ['ann', 'bob'] })
})

test('P3 ordered: a JOIN behind an `again` in one command misses nothing that happens until both are answered', async () => {
  const { world, ann, bob } = await won()
  const { clock, gateway, storage } = world
  await bob.join('r')
  const { snapshot } = storage
  storage.snapshot = async (room) => {
    await new Promise<void>((resolve) => clock.after(50, resolve))
    return snapshot(room)
  }
  const tab = gateway.connect('ann')
  const id = tab.send('r', [
    [OP.call, tab.next(), 'r', 'again'],
    [OP.join, tab.next(), 'r', {}],
  ])
  await clock.advance(10)
  await bob.leave('r')
  await gateway.answers(id)
  await gateway.settle()
  expect(ann.document('r').room.members.bob?.connected).toBe(false)
  expect(tab.document('r')).toEqual(ann.document('r'))
})

test('P2 exactly once: `again` after a crash between its two appends still makes the room', async () => {
  const { world, ann } = await won()
  // The first append is stored, the second is not.
  const ref = ann.next()
  world.storage.hold()
  ann.send('r', [[OP.call, ref, 'r', 'again']])
  await world.gateway.settle()
  world.engine.abandon()
  world.storage.release()
  await world.gateway.settle()
  await world.crash(['r'])
  const next = world.engine.rooms.here('r')?.state.next ?? ''
  expect(next).not.toBe('')
  expect(await world.storage.last(next)).toBeNull()
  expect(await ann.ask('r', [OP.call, ref, 'r', 'again'])).toEqual({ ok: { room: next } })
  expect(world.engine.rooms.here(next)?.state.players).toEqual(['ann'])
})

test('who leaves in the middle of the game keeps a place, and is out of the room until the next JOIN', async () => {
  const { world, ann } = await startWorld(counter())
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  await ann.call('r', 'start')
  expect(await bob.leave('r')).toEqual({ ok: null })
  expect(ann.document('r').room).toMatchObject({ players: ['ann', 'bob'], members: { bob: { connected: false } } })
  expect(await bob.move('r', 'add', { n: 1 })).toMatchObject({ err: 'not_member' })
  expect(await bob.leave('r')).toMatchObject({ err: 'not_member' })
  expect(await bob.join('r')).toMatchObject({ ok: { role: 'player' } })
  expect(await bob.move('r', 'add', 1)).toMatchObject({ ok: expect.any(Number) })
})
