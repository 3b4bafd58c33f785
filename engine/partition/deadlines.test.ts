import { expect, test } from 'vitest'
import { decodeRecord } from '../../protocol/record.ts'
import { gameOf } from './testing/games.ts'
import { startWorld } from './testing/start.ts'

/** A phase takes so many seconds; a move is counted for the phase in which it falls. */
const phases = (seconds: number) =>
  gameOf('phases', {
    machine: `context: { log: [], n: 0 }, initial: 'day',
      on: { add: { actions: assign({ log: ({ context }) => [...context.log, context.n] }) } },
      states: {
        day: { entry: assign({ n: ({ context }) => context.n + 1 }), after: { ${seconds * 1000}: 'night' } },
        night: { entry: assign({ n: ({ context }) => context.n + 1 }), after: { ${seconds * 1000}: 'day' } },
      }`,
    face: `everyone: (s) => ({ phase: s.value, n: s.context.n, log: s.context.log, ends: deadline(s, ${seconds * 1000}) })`,
  })

test('a deadline that is due at the time of a move goes before it', async () => {
  const { world, ann } = await startWorld(phases(10))
  await ann.call('r', 'start')
  await world.clock.advance(9_999)
  await ann.move('r', 'add')
  world.storage.hold()
  ann.send('r', [[5, ann.next(), 'r', 'say']])
  await world.gateway.settle()
  await world.clock.advance(1)
  // Both the deadline and this move wait for the append that is in flight.
  ann.send('r', [[5, ann.next(), 'r', 'add']])
  world.storage.release()
  await world.gateway.settle()
  expect(ann.document('r').game).toMatchObject({ phase: 'night', log: [1, 2] })
})

test('deadlines survive a restart; a dead hour ends one phase, with its new deadline counted from the wake', async () => {
  const { world, ann } = await startWorld(phases(10))
  await ann.call('r', 'start')
  await world.clock.advance(4_000)
  await world.crash(['r'])
  await world.clock.advance(5_999)
  expect(ann.document('r').game).toMatchObject({ phase: 'day', n: 1 })
  await world.clock.advance(1)
  expect(ann.document('r').game).toMatchObject({ phase: 'night', n: 2 })
  world.engine.abandon()
  await world.clock.advance(3_600_000)
  await world.crash(['r'])
  await world.gateway.settle()
  expect(ann.document('r').game).toMatchObject({ phase: 'day', n: 3, ends: world.clock.now() + 10_000 })
})

test('an idle room leaves memory after a minute, wakes on demand as it was, and its chain goes on', async () => {
  const { world, ann } = await startWorld(phases(600))
  await ann.call('r', 'start')
  await ann.move('r', 'add')
  const before = ann.document('r')
  const at = ann.rooms.get('r')
  await ann.drop()
  await world.clock.advance(60_000)
  expect(world.engine.rooms.counts().live).toBe(1)
  await world.clock.advance(20_000)
  expect(world.engine.rooms.counts().live).toBe(0)
  expect(await world.storage.index('r')).toMatchObject({ status: 'asleep', due: world.clock.now() + 520_000, seq: 5 })
  const again = world.gateway.connect('ann')
  if (at) again.rooms.set('r', { ...at, document: before })
  await again.join('r', { since: at?.seq ?? 0 })
  expect(again.document('r')).toEqual(before)
  expect(await world.storage.index('r')).toMatchObject({ status: 'live' })
  expect(world.gateway.violations).toEqual([])
})

test('a sleeping room wakes by its deadline, also when another engine has taken over meanwhile', async () => {
  const { world, ann } = await startWorld(phases(600))
  await ann.call('r', 'start')
  await ann.drop()
  await world.clock.advance(90_000)
  expect(world.engine.rooms.counts().live).toBe(0)
  await world.crash()
  expect(world.engine.rooms.counts().live).toBe(0)
  await world.clock.advance(510_000)
  expect(world.engine.rooms.here('r')?.state.seq).toBe(5)
  await world.clock.advance(90_000)
  expect(world.engine.rooms.counts().live).toBe(0)
})

test('a store that cannot list its rooms at the start is asked again until their deadlines run', async () => {
  const { world, ann } = await startWorld(phases(600))
  await ann.call('r', 'start')
  await ann.drop()
  await world.clock.advance(90_000)
  world.storage.full = true
  await world.crash()
  await world.clock.advance(5_000)
  world.storage.full = false
  await world.clock.advance(510_000)
  expect(world.engine.rooms.here('r')?.state.seq).toBe(5)
})

test('a room with a deadline under a minute away stays in memory; one that is over, or open and empty, does not', async () => {
  const { world, ann } = await startWorld(phases(30))
  await ann.call('r', 'start')
  await ann.create('empty', 'phases')
  await ann.drop()
  await world.clock.advance(300_000)
  expect(world.engine.rooms.here('r')?.state.seq).toBe(14)
  expect(world.engine.rooms.here('empty')).toBeUndefined()
})

test('a room that was in play when its engine died, and whose players are long gone, drops them and goes to sleep', async () => {
  const { world, ann } = await startWorld(phases(6_000))
  await ann.call('r', 'start')
  world.engine.abandon()
  await world.clock.advance(3_600_000)
  await world.crash()
  await world.clock.advance(100_000)
  expect(await world.storage.index('r')).toMatchObject({ status: 'asleep', seq: 4 })
  expect(world.engine.rooms.counts().live).toBe(0)
})

test.each([true, false])(
  'a request that comes while a room falls asleep is served, and the room stays (before its row is written: %s)',
  async (isBefore) => {
    const { world, ann } = await startWorld(phases(6_000))
    await ann.call('r', 'start')
    await ann.drop()
    await world.clock.advance(55_000)
    let fell = false
    const put = world.storage.putIndex
    const again = world.gateway.connect('ann')
    world.storage.putIndex = async (rows) => {
      const falls = !fell && rows[0]?.status === 'asleep'
      fell ||= falls
      // Just before the row is written, or just after.
      if (falls) again.send('r', [[3, 1, 'r', {}]])
      if (falls && isBefore) await new Promise((resolve) => setImmediate(resolve))
      return put(rows)
    }
    await world.clock.advance(30_000)
    expect(fell).toBe(true)
    expect(again.document('r').room.members.ann?.connected).toBe(true)
    expect(world.engine.rooms.here('r')?.attachments.size).toBe(1)
    expect(await world.storage.index('r')).toMatchObject({ status: 'live' })
  },
)

test("no event is logged while its room's row says that it sleeps: a crash would lose its deadline", async () => {
  const { world, ann } = await startWorld(phases(6_000))
  await ann.call('r', 'start')
  await ann.drop()
  await world.clock.advance(55_000)
  const again = world.gateway.connect('ann')
  const put = world.storage.putIndex
  world.storage.putIndex = async (rows) => {
    if (rows[0]?.status === 'live') return new Promise(() => {})
    again.send('r', [[3, 1, 'r', {}]])
    // The JOIN comes first.
    await new Promise((resolve) => setImmediate(resolve))
    return put(rows)
  }
  await world.clock.advance(30_000)
  const row = await world.storage.index('r')
  expect(row).toMatchObject({ status: 'asleep', seq: 4 })
  const last = await world.storage.last('r')
  const { first, inputs } = decodeRecord(last?.record ?? new Uint8Array(0))
  expect(first + inputs.length - 1).toBe(4)
  world.storage.putIndex = put
  await world.crash()
  await again.join('r')
  expect(again.document('r').room.members.ann?.connected).toBe(true)
})

test('nothing is left running after an engine has stopped', async () => {
  const { world, ann } = await startWorld(phases(10))
  await ann.call('r', 'start')
  const eve = world.gateway.connect('eve')
  await eve.join('r', { role: 'spectator' })
  await world.stop()
  world.gateway.close()
  await world.clock.advance(1)
  expect(world.clock.timers).toBe(0)
})
