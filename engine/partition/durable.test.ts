import { expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import { encodeRecord } from '../../protocol/record.ts'
import type { LiveRoom } from '../room/live.ts'
import { counter } from './testing/games.ts'
import { startWorld } from './testing/start.ts'
import type { World } from './testing/world.ts'

const started = async () => {
  const { world, ann } = await startWorld(counter())
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  await ann.call('r', 'start')
  return { world, ann, bob }
}

test('P1 durable before visible: nothing of an event leaves while its append is held back', async () => {
  const { world, ann, bob } = await started()
  world.storage.hold()
  const [a, b] = [ann.inbox.length, bob.inbox.length]
  ann.send('r', [
    [OP.move, ann.next(), 'r', 'add', 1],
    [OP.move, ann.next(), 'r', 'say', { text: 'x' }],
  ])
  const eve = world.gateway.connect('eve')
  await world.clock.advance(100)
  expect(world.storage.waiting).toBe(1)
  eve.send('r', [[OP.join, 1, 'r', { role: 'spectator' }]])
  await world.clock.advance(3_000)
  expect([ann.inbox.length, bob.inbox.length, eve.inbox.length]).toEqual([a, b, 0])
  world.storage.release()
  await world.gateway.settle()
  expect(
    ann
      .frames(OP.ok)
      .slice(-2)
      .map(([, , seq]) => seq),
  ).toEqual([5, 6])
  expect(eve.document('r').game).toMatchObject({ sum: 1 })
  expect(bob.document('r').game).toMatchObject({ sum: 1 })
})

test('P1 durable before visible: a CREATE that is not stored has no room', async () => {
  const { world, ann } = await started()
  world.storage.fail('refused', 'lost')
  expect(await ann.create('q', 'counter')).toMatchObject({ err: 'unavailable' })
  expect(await ann.create('q', 'counter')).toMatchObject({ err: 'unavailable' })
  expect(await ann.join('q')).toMatchObject({ err: 'not_found' })
  world.storage.fail('stored')
  expect(await ann.create('q', 'counter')).toEqual({ ok: { room: 'q' } })
  expect(await ann.join('q')).toMatchObject({ ok: { seq: 2 } })
})

test('P1 durable before visible: a refused append answers unavailable, shows nothing, and the room goes on', async () => {
  const { world, ann, bob } = await started()
  world.storage.fail('refused')
  expect(await ann.move('r', 'add', 1)).toMatchObject({ err: 'unavailable' })
  expect(bob.document('r').game).toMatchObject({ sum: 0 })
  expect(await ann.ask('r', [OP.move, ann.ref, 'r', 'add', 1])).toEqual({ ok: 5 })
  // What the room itself has to log is tried again.
  await bob.drop()
  world.storage.fail('refused', 'refused')
  await world.clock.advance(8_000)
  expect(ann.document('r').room.members.bob?.connected).toBe(false)
  expect(world.gateway.violations).toEqual([])
})

test.each([
  ['stored', 5],
  ['lost', 5],
] as const)(
  'P1 durable before visible: an append without an answer that was %s is resolved by the last record',
  async (fate, seq) => {
    const { world, ann, bob } = await started()
    world.storage.fail(fate)
    world.storage.failLast(3)
    const reply = await ann.move('r', 'add', 1)
    if (fate === 'stored') expect(reply).toEqual({ ok: seq })
    else expect(reply).toMatchObject({ err: 'unavailable' })
    await world.clock.advance(10)
    expect(await ann.ask('r', [OP.move, ann.ref, 'r', 'add', 1])).toEqual({ ok: seq })
    expect(bob.document('r').game).toMatchObject({ sum: 1 })
    expect(world.gateway.violations).toEqual([])
  },
)

/** Appends to the room's log what another owner of that epoch would: bob dropped. */
const writeAs = async (world: World, live: LiveRoom, epoch: number) => {
  const { end, state } = live
  const input = { type: 'player.dropped', by: 'bob', at: state.at, seed: 1 }
  const head = { room: 'r', kind: 'events' as const, epoch, id: 'other', first: end.seq + 1, previous: end.checksum }
  await world.storage.append('r', end.position, encodeRecord({ ...head, inputs: [input], rules: live.game.hash }))
}

test('a room whose log an earlier owner wrote late is read again, and its connections get the STATE as it really is', async () => {
  const { world, ann, bob } = await started()
  const live = world.engine.rooms.here('r')
  if (live === undefined) throw new Error('the room is live')
  await writeAs(world, live, 0)
  expect(await ann.move('r', 'add', 1)).toMatchObject({ err: 'unavailable' })
  await world.gateway.settle()
  expect(ann.frames(OP.state).at(-1)?.[3].room.members.bob?.connected).toBe(false)
  // Who was dropped there and is connected here comes back.
  expect(ann.document('r').room.members.bob?.connected).toBe(true)
  expect(world.engine.rooms.here('r')).not.toBe(live)
  expect(await ann.ask('r', [OP.move, ann.ref, 'r', 'add', 1])).toHaveProperty('ok')
  expect(bob.document('r').game).toMatchObject({ sum: 1 })
  expect(world.gateway.violations).toEqual([])
})

test('a room whose log an owner of a higher epoch wrote is its room: nothing is written or shown here any more', async () => {
  const { world, ann } = await started()
  const live = world.engine.rooms.here('r')
  if (live === undefined) throw new Error('the room is live')
  await writeAs(world, live, 9)
  expect(await ann.move('r', 'add', 1)).toMatchObject({ err: 'unavailable' })
  const last = await world.storage.last('r')
  const states = ann.frames(OP.state).length
  expect(await ann.ask('r', [OP.move, ann.ref, 'r', 'add', 1])).toMatchObject({ err: 'unavailable' })
  await world.clock.advance(5_000)
  expect(world.engine.rooms.here('r')).toBeUndefined()
  expect(ann.frames(OP.state)).toHaveLength(states)
  expect(await world.storage.last('r')).toEqual(last)
})

test('P5 bounded: what waits in one room has an end; above it, requests are told unavailable', async () => {
  const { world, ann } = await started()
  world.storage.hold()
  const flood = world.gateway.connect('bob')
  const frames = (n: number) => Array.from({ length: n }, () => [OP.move, flood.next(), 'r', 'add', 1] as const)
  flood.send(
    'r',
    frames(2_100).map((f) => [...f]),
  )
  await world.gateway.settle()
  // Answers keep the order of the frames: they wait for the first one's append.
  world.storage.release()
  await world.gateway.settle()
  const refused = flood.frames(OP.err).filter(([, , code]) => code === 'unavailable')
  expect(refused.length).toBe(2_100 - 2_048 - 1)
  expect(flood.frames(OP.ok)).toHaveLength(2_049)
  expect(await ann.move('r', 'add', 1)).toHaveProperty('ok')
})

test('a full disk while rooms fall asleep leaves them in memory, and they go on', async () => {
  const { world, ann, bob } = await started()
  await ann.drop()
  await bob.drop()
  world.storage.full = true
  await world.clock.advance(120_000)
  expect(world.engine.rooms.here('r')).toBeDefined()
  expect(world.errors().join()).toContain('the disk is full')
  world.storage.full = false
  await world.clock.advance(20_000)
  expect(world.engine.rooms.here('r')).toBeUndefined()
})

test('an engine that stops in order tells what waits that it was not done', async () => {
  const { world, ann } = await started()
  world.storage.hold()
  ann.send('r', [[OP.move, ann.next(), 'r', 'add', 1]])
  await world.gateway.settle()
  ann.send('r', [[OP.move, ann.next(), 'r', 'add', 1]])
  await world.gateway.settle()
  ann.send('r', [[OP.call, ann.next(), 'r', 'chat', { text: 'Hello' }]])
  await world.gateway.settle()
  await world.stop()
  const refused = ann.frames(OP.err).flatMap(([, ref, code]) => (code === 'unavailable' ? [ref] : []))
  expect(refused.toSorted()).toEqual([ann.ref - 1, ann.ref])
})

test('two retries of one CREATE make one room in memory', async () => {
  const { world } = await started()
  world.storage.hold()
  const [a, b] = [world.gateway.connect('ann'), world.gateway.connect('ann')]
  a.send('q', [[OP.create, 1, 'counter']])
  b.send('q', [[OP.create, 1, 'counter']])
  await world.gateway.settle()
  const { read } = world.storage
  let answer = () => {}
  const slow = new Promise<void>((resolve) => {
    answer = resolve
  })
  world.storage.read = async (...args) => {
    await slow
    return read(...args)
  }
  world.storage.release()
  await world.gateway.settle()
  await a.ask('q', [OP.join, 2, 'q', {}])
  answer()
  await world.gateway.settle()
  expect([a.frames(OP.ok)[0], b.frames(OP.ok)[0]]).toEqual([
    [OP.ok, 1, { room: 'q' }],
    [OP.ok, 1, { room: 'q' }],
  ])
  expect(world.engine.rooms.here('q')?.attachments.size).toBe(1)
})
