import { expect, test } from 'vitest'
import { decode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { counter } from './testing/games.ts'
import { Poller } from './testing/poller.ts'
import { startWorld } from './testing/start.ts'
import type { World } from './testing/world.ts'

const playing = async (game = counter()) => {
  const { world, ann } = await startWorld(game)
  const bob = new Poller(world.gateway, 'r', 'bob')
  await bob.client.join('r')
  await ann.call('r', 'start')
  return { world, ann, bob }
}

const room = (world: World) => world.engine.rooms.here('r')
const ops = (frames: unknown): unknown[] => (Array.isArray(frames) ? frames.map(([op]) => op) : [frames])

test('a poll without since gets the STATE at the head, then nothing until something changed, then one PATCH', async () => {
  const { world, ann, bob } = await playing()
  expect(ops(await bob.poll())).toEqual([OP.state])
  expect(bob.since).toBe(world.engine.rooms.here('r')?.state.seq)
  expect(bob.document).toMatchObject({ room: { phase: 'playing' }, game: { sum: 0, own: 0 } })
  expect(await bob.poll()).toEqual([])
  await ann.move('r', 'add', 2)
  await ann.move('r', 'add', 3)
  expect(ops(await bob.poll())).toEqual([OP.patch])
  expect(bob.document?.game).toEqual({ sum: 5, own: 0 })
  expect(await bob.poll()).toEqual([])
})

test('P2 exactly once: an EMIT comes with one poll and not with the next, with a change of the document and without one', async () => {
  const { ann, bob } = await playing()
  await bob.poll()
  await ann.move('r', 'say', { text: 'a', n: 1 })
  expect(ops(await bob.poll())).toEqual([OP.patch, OP.emit])
  expect(await bob.poll()).toEqual([])
  await ann.move('r', 'say', { text: 'b', n: 2 })
  await ann.move('r', 'add', 1)
  await ann.move('r', 'say', { text: 'c', n: 3 })
  expect(ops(await bob.poll())).toEqual([OP.patch, OP.emit, OP.emit])
  expect(await bob.poll()).toEqual([])
  // One that needs a STATE hears nothing of what was before it, then or later.
  const late = new Poller(bob.client.gateway, 'r', 'bob', 'another-session-of-bob')
  expect(ops(await late.poll())).toEqual([OP.state])
  expect(await late.poll()).toEqual([])
  await ann.move('r', 'say', { text: 'd', n: 4 })
  await late.poll()
  await bob.poll()
  expect(bob.emits.map(([, , , event]) => event)).toMatchObject([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }])
  expect(late.emits.map(([, , , event]) => event)).toMatchObject([{ n: 4 }])
})

test('P3 ordered: EMITs come also where a STATE is sent because it is shorter than the PATCH', async () => {
  const { world, ann } = await startWorld(counter())
  const bob = new Poller(world.gateway, 'r', 'bob')
  await bob.client.join('r')
  await bob.poll()
  for (const name of ['cas', 'dan', 'eva', 'fay', 'gus', 'hal']) await world.gateway.connect(name).join('r')
  await ann.call('r', 'start')
  await ann.move('r', 'say', { text: 'a', n: 1 })
  expect(ops(await bob.poll())).toEqual([OP.state, OP.emit])
  expect(await bob.poll()).toEqual([])
})

test('P3 ordered: a poll from a seq that is no longer kept, or not yet reached, gets a STATE', async () => {
  const { ann, bob } = await playing()
  await bob.poll()
  for (let n = 0; n < 70; n++) await ann.move('r', 'add', 1)
  expect(ops(await bob.poll())).toEqual([OP.state])
  expect(bob.document?.game).toMatchObject({ sum: 70 })
  bob.since = 10_000
  expect(ops(await bob.poll())).toEqual([OP.state])
  expect(bob.since).toBeLessThan(100)
})

test('P4 private: who polls as a spectator and takes a seat goes on with what the player may see', async () => {
  const { world, ann } = await playing(counter({ head: 'dropIn: true' }))
  const eve = new Poller(world.gateway, 'r', 'eve')
  await eve.client.join('r', { role: 'spectator' })
  await eve.poll()
  expect(eve.document?.game).toMatchObject({ own: 'watching' })
  await eve.client.join('r')
  await ann.move('r', 'add', 1)
  await eve.poll()
  expect(eve.document?.game).toEqual({ sum: 1, own: 0 })
})

test('P3 ordered: who goes from polls to a stream or a WebSocket goes on where the polls left it', async () => {
  const { world, ann, bob } = await playing()
  const stays = world.gateway.connect('bob')
  await stays.join('r')
  await ann.move('r', 'say', { text: 'a', n: 1 })
  await bob.poll()
  const last = stays.rooms.get('r')?.seq ?? 0
  expect(bob.since).toBeGreaterThan(last)
  const stream = world.gateway.connect('bob', { session: bob.session })
  stream.rooms.set('r', { role: 'player', seq: bob.since, heard: bob.since, document: bob.document })
  expect(await stream.stream('r', bob.since)).toMatchObject({ role: 'player', seq: bob.since, heard: bob.since })
  expect(stream.frames(OP.emit)).toEqual([])
  expect(world.gateway.violations).toEqual([])
  await ann.move('r', 'add', 7)
  expect(stays.document('r').game).toEqual({ sum: 7, own: 0 })
  // What all others are sent begins at the last change: a gateway does not pass it on, and attaches again.
  expect(world.gateway.violations.splice(0)).toMatchObject([expect.stringContaining(`a PATCH from ${last}`)])
  await world.gateway.reattach('r')
  expect(stream.frames(OP.patch)).toMatchObject([[OP.patch, 'r', bob.since, expect.any(Number), expect.anything()]])
  expect(stream.document('r').game).toEqual({ sum: 7, own: 0 })
  expect(world.gateway.violations).toEqual([])
})

test('P1 durable before visible: a poll shows nothing of a move that is not stored yet', async () => {
  const { world, ann, bob } = await playing()
  await bob.poll()
  world.storage.hold()
  ann.send('r', [[OP.move, ann.next(), 'r', 'add', 5]])
  await world.gateway.settle()
  const id = bob.client.publishRead('r', bob.since, 10_000, null)
  await world.gateway.settle()
  // It waits for the commit in flight.
  expect(world.gateway.items.some((item) => item.kind === 'answer' && item.id === id)).toBe(false)
  world.storage.release()
  expect(await world.gateway.answers(id)).toMatchObject([{ done: true }])
  await bob.poll()
  expect(bob.document?.game).toMatchObject({ sum: 5 })
})

test('P4 private: polls show each viewer its own view and EMITs and nothing of another', async () => {
  const face = `everyone: (s) => ({ sum: s.context.sum }), only: (s, v) => ({ own: 'secret of ' + v })`
  const { world, ann, bob } = await playing(counter({ face }))
  const eve = new Poller(world.gateway, 'r', 'eve')
  await eve.client.join('r', { role: 'spectator' })
  for (const poller of [bob, eve]) await poller.poll()
  await ann.move('r', 'add', 1)
  await ann.move('r', 'say', { text: 'x', n: 7, to: ['bob', 'eve'] })
  for (const poller of [bob, eve]) await poller.poll()
  expect([bob.emits.length, eve.emits.length]).toEqual([1, 0])
  const all = (poller: Poller) => Buffer.concat(poller.bytes).toString('latin1')
  for (const secret of ['ann', 'bob', 'null'])
    expect([all(bob), all(eve)].map((text) => text.includes(`secret of ${secret}`))).toEqual([
      secret === 'bob',
      secret === 'null',
    ])
})

test('who polls and is no member, was kicked or asks for no room is refused', async () => {
  const { world, ann, bob } = await playing()
  const zoe = new Poller(world.gateway, 'r', 'zoe')
  expect(await zoe.poll()).toBe('not_member')
  expect(await new Poller(world.gateway, 'nowhere', 'zoe').poll()).toBe('not_found')
  expect(await zoe.hold()).toBe('not_member')
  expect(await world.gateway.connect('zoe').stream('r')).toBe('not_member')
  await ann.call('r', 'kick', { player: 'bob' })
  expect(await bob.poll()).toBe('not_member')
  expect(await bob.hold()).toBe('not_member')
  await ann.leave('r')
  expect(await new Poller(world.gateway, 'r', 'ann').poll()).toBe('not_member')
  expect(world.errors()).toEqual([])
})

test('who only watches by polls is not forgotten when the room gets another owner; who comes from nowhere, or much later, is', async () => {
  const { world, ann } = await playing()
  const eve = new Poller(world.gateway, 'r', 'eve')
  const fay = new Poller(world.gateway, 'r', 'fay')
  for (const spectator of [eve, fay]) {
    await spectator.client.join('r', { role: 'spectator' })
    expect(ops(await spectator.poll())).toEqual([OP.state])
  }
  await ann.move('r', 'add', 2)
  await world.crash(['r'])
  await world.gateway.settle()
  expect(await new Poller(world.gateway, 'r', 'zoe').poll()).toBe('not_member')
  expect(ops(await eve.poll())).toEqual([OP.state])
  expect(eve.document?.game).toMatchObject({ sum: 2 })
  await world.clock.advance(41_000)
  expect(await fay.poll()).toBe('not_member')
})

test('a poll is told unavailable where the room cannot be read or its log is lost, and internal where a view throws', async () => {
  const face = `everyone: (s) => ({}), only: (s, v) => { if (v === 'bob' && s.context.sum > 0) throw new Error('no'); return {} }`
  const { world, ann, bob } = await playing(counter({ face }))
  // While he visits, what he could not be shown is not logged.
  expect(await ann.move('r', 'add', 1)).toMatchObject({ err: 'internal' })
  await world.clock.advance(60_000)
  expect(await ann.move('r', 'add', 1)).toHaveProperty('ok')
  expect(await bob.poll()).toBe('internal')
  expect(await bob.hold()).toBe('internal')
  expect(await world.gateway.connect('bob').stream('r')).toBe('internal')
  expect(room(world)?.attachments.watches('bob')).toBe(false)
  // One that waits in a room whose log another owner appended to.
  world.storage.hold()
  ann.send('r', [[OP.move, ann.next(), 'r', 'add', 5]])
  await world.gateway.settle()
  const id = bob.client.publishRead('r', 0, 10_000, null)
  await world.gateway.settle()
  world.storage.fail('fenced')
  world.storage.release()
  const [answer] = await world.gateway.answers(id)
  expect(answer).toMatchObject({ done: true, attached: null })
  expect(answer?.frames.map((bytes) => decode(bytes))).toMatchObject([
    [OP.err, null, 'unavailable', expect.any(String)],
  ])
  world.storage.damage('r', (entries) => entries.slice(1))
  await world.crash()
  expect(await bob.poll()).toBe('unavailable')
})

test('a sleeping room wakes for a poll', async () => {
  const { world, ann, bob } = await playing()
  await bob.poll()
  await ann.drop()
  await world.clock.advance(200_000)
  expect(world.engine.rooms.here('r')).toBeUndefined()
  expect(ops(await bob.poll())).toEqual([OP.state])
  expect(world.engine.rooms.here('r')).toBeDefined()
})

test('P3 ordered: who polls as a spectator and takes a seat in a running game goes on from the player’s document', async () => {
  const { world, ann } = await startWorld(counter({ head: 'dropIn: true' }))
  const eve = new Poller(world.gateway, 'r', 'eve')
  await eve.client.join('r', { role: 'spectator' })
  await eve.poll()
  expect(eve.document?.game).toEqual({ sum: 0, own: 'watching' })
  const held = await eve.hold()
  if (Array.isArray(held) || typeof held === 'string') throw new Error('the poll was not held')
  const seen = held.inbox.length
  await eve.client.join('r')
  await world.gateway.settle()
  expect(held.closes).toHaveLength(1)
  expect(held.inbox.slice(seen).filter(([op]) => op === OP.state || op === OP.patch)).toEqual([])
  await eve.poll()
  expect(eve.document?.game).toEqual({ sum: 0, own: 0 })
  await ann.move('r', 'add', 2)
  await eve.poll()
  expect(eve.document?.game).toEqual({ sum: 2, own: 0 })
})
