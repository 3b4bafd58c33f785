import { expect, test, vi } from 'vitest'
import { coldStartText, measureColdStart } from './coldstart.ts'
import { durabilityText, measureDurability } from './durability.ts'
import { enginesText, measureEngines } from './engines.ts'
import { asleepText, liveText } from './rooms.ts'
import { measureAsleep } from './rooms-asleep.ts'
import { measureLive } from './rooms-live.ts'
import { measureTakeover, takeoverText } from './takeover.ts'

// The quick ways through the benchmarks of whole programs: that they measure what they say. How fast is another question.

// Whole programs start a dozen times, beside all other tests.
vi.setConfig({ testTimeout: 240_000 })

const SMALL = { rooms: 1, rate: 50, rounds: 1, ms: 400 }

test('durability: the same moves are seen by all on each level, beside memory, and cost the processes something', async () => {
  const measured = await measureDurability(SMALL, ['sqlite-full', 'jetstream-r1'])
  expect(measured.map(({ level }) => level)).toEqual(['memory', 'sqlite-full', 'jetstream-r1'])
  for (const { level, rounds } of measured)
    for (const { unseen, madang, nats, p50, most } of rounds) {
      expect(unseen).toBe(0)
      expect(madang).toBeGreaterThan(0)
      expect(nats > 0).toBe(level === 'jetstream-r1')
      expect(p50).toBeGreaterThan(0)
      expect(most).toBeGreaterThan(10)
    }
  expect(durabilityText(measured, SMALL, Float64Array.of(1))).toMatch(
    /`jetstream-r1` \| [\d.]+ \/ [\d.]+ \| [\d,]+ \+ [\d,]+ µs/,
  )
})

test('engines: the same load on one engine and on two', async () => {
  const measured = await measureEngines(SMALL, [1, 2])
  expect(measured.map(({ engines, rounds }) => [engines, rounds.length])).toEqual([
    [1, 1],
    [2, 1],
  ])
  for (const { rounds, alike } of measured) for (const { unseen } of [...rounds, ...alike]) expect(unseen).toBe(0)
  expect(enginesText(measured, SMALL)).toMatch(/\| 2 \| [\d.]+ \/ [\d.]+ \|/)
})

test('takeover: rooms go on that an engine leaves, that another one gets, and whose engine is killed', async () => {
  const plan = { rooms: 6, rhythm: { least: 300, most: 600 } }
  const taken = await measureTakeover('jetstream-r1', plan)
  expect(taken.calm.length).toBeGreaterThan(0)
  expect(taken.moved).toHaveLength(3)
  for (const { rooms, signs } of taken.moved) expect(signs).toHaveLength(rooms)
  // An engine is not counted dead before five of another one's beats have come back.
  expect(Math.min(...(taken.moved[2]?.signs ?? []))).toBeGreaterThan(1_500)
  expect(takeoverText([taken], plan)).toContain('one of two is killed')
})

test('coldstart: a long room is opened with and without its snapshot', async () => {
  const plan = { events: 300, rooms: 1 }
  const opened = await measureColdStart('sqlite-full', plan)
  for (const times of Object.values(opened.times)) expect(times[0]).toBeGreaterThan(0)
  expect(opened.bytesPerEvent).toBeGreaterThan(50)
  expect(coldStartText([opened], plan)).toContain('300 events')
})

test('rooms: what they cost awake and asleep, and that sleepers wake at the next engine', async () => {
  const live = await measureLive('mafia', 5, 64)
  expect(live).toMatchObject({ rooms: 128 })
  expect(live.js).toBeGreaterThan(1_000)
  expect(liveText([live])).toContain('`mafia`, 5 players')
  const asleep = await measureAsleep('jetstream-r1', 300)
  expect(asleep.woken?.probes).toBeGreaterThan(50)
  expect(asleep.woken?.ms).toBeGreaterThan(1_500)
  expect(asleepText([asleep])).toMatch(/\d+ in [\d,]+ ms/)
})
