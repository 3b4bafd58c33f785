import { expect, test } from 'vitest'
import { virtualClock } from '../test/virtual-clock.ts'
import { ServerTime } from './server-time.ts'

const AHEAD = 5_000

test('the best round trip of the last six tells the time of the server; the device clock is used before the first', async () => {
  const clock = virtualClock()
  const time = new ServerTime(clock)
  expect(time.now()).toBe(clock.now())
  /** An answer that took `up` ms to the server and `down` ms back. */
  const trip = async (up: number, down: number): Promise<void> => {
    const sent = clock.now()
    await clock.advance(up)
    const serverTime = clock.now() + AHEAD
    await clock.advance(down)
    time.heard(sent, serverTime)
  }
  const error = (): number => time.now() - clock.now() - AHEAD
  await trip(0, 400)
  expect(error()).toBe(-200)
  await trip(10, 10)
  expect(error()).toBe(0)
  await trip(300, 0)
  expect(error()).toBe(0)
  // A good sample is not kept for ever: the device's clock may have been set since.
  for (let i = 0; i < 6; i++) await trip(100, 0)
  expect(error()).toBe(50)
})

test('an answer from before the device clock was set back is not used', () => {
  const clock = virtualClock()
  const time = new ServerTime(clock)
  time.heard(clock.now() + 60_000, clock.now() + AHEAD)
  expect(time.now()).toBe(clock.now())
})
