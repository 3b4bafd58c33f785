import { afterAll, beforeAll, expect, test } from 'vitest'
import { median } from './figures.ts'
import { measureFirstFrames } from './media-first-frame.ts'
import { flipsText, measureFlips } from './media-flips.ts'
import { forwardingText, measureForwarding, type Servers, type Slice } from './media-forwarding.ts'
import { measureRooms, roomsText } from './media-rooms.ts'
import { measureSignalling, signallingText } from './media-signalling.ts'
import { startBareMedia, startMedia } from './server.ts'

// The quick ways through the benchmark, with real processes: that it measures what it says. How fast is another question.

let servers: Servers
beforeAll(async () => {
  servers = { bare: await startBareMedia(), ours: await startMedia() }
})
afterAll(async () => {
  await Promise.all([servers.bare.stop(), servers.ours.stop()])
})

/** Nearly everything that was sent arrives, and costs the worker something. */
const isForwarded = (slices: readonly Slice[]): void => {
  for (const { arrived, expected, workerMicros } of slices) {
    expect(expected).toBeGreaterThan(100)
    expect(arrived / expected).toBeGreaterThan(0.9)
    expect(arrived / expected).toBeLessThan(1.1)
    expect(workerMicros).toBeGreaterThan(0)
  }
}

test('forwarding: the same packets reach the same receivers through a room of ours and through mediasoup alone', async () => {
  const plan = { shapes: [{ players: 5, spectators: 1 }], rounds: 2, ms: 400 }
  const measured = await measureForwarding(servers, plan)
  expect(measured).toMatchObject([{ consumers: 25, bare: { length: 2 }, ours: { length: 2 } }])
  for (const { bare, ours } of measured) isForwarded([...bare, ...ours])
  expect(forwardingText(measured, plan)).toMatch(/\| 25 \| [\d,]+\/s \|/)
})

test('policy flip: media flows by day, and by night it stops, in most nights before half of them is over', async () => {
  const plan = { flips: 4, rooms: { flipping: 1, others: 0 } }
  const found = await measureFlips(servers, plan)
  const { afterEvent, afterLease, packets } = found
  expect(afterEvent.length).toBeGreaterThanOrEqual(4)
  expect(packets).toBeGreaterThan(100)
  for (const [nth, ms] of afterLease.entries()) expect(ms).toBeLessThanOrEqual((afterEvent[nth] ?? 0) + 1)
  expect(median([...afterEvent])).toBeLessThan(200)
  expect(flipsText(found, plan)).toMatch(/after the event \| \d+ \|/)
})

test('rooms of six: what they cost the worker and the program, and that all receive all', async () => {
  const plan = { counts: [1], rounds: 1, ms: 400 }
  const found = await measureRooms(servers, plan)
  for (const { bare, ours, server } of found.measured) {
    isForwarded([...bare, ...ours])
    expect(server).toBeGreaterThan(0)
  }
  expect(roomsText(found, plan)).toContain('Memory a room')
})

test('signalling: each request is answered as often as it was made', async () => {
  const times = await measureSignalling(3)
  expect([...times].map(([step, { length }]) => [step, length])).toEqual([
    ['PING', 3],
    ['media.state', 3],
    ['media.join', 3],
    ['media.produce', 3],
    ['media.consume', 3],
    ['media.resume', 3],
  ])
  for (const values of times.values()) expect(Math.min(...values)).toBeGreaterThan(0)
  expect(signallingText(times)).toContain('| CALL `media.join` | 3 |')
})

test('the first frame: two pages see each other in each of the ways', async () => {
  const times = await measureFirstFrames(1)
  for (const values of Object.values(times)) {
    expect(values).toHaveLength(1)
    expect(values[0]).toBeGreaterThan(0)
  }
})
