import { expect, test } from 'vitest'
import { virtualClock } from '../test/virtual-clock.ts'
import { RateLimit } from './rate.ts'

test('P5 a burst passes at once, then as many a second as the rate says, for each key by itself', async () => {
  const clock = virtualClock()
  const limit = new RateLimit(clock, 10, 20)
  const passed = (key: string) => {
    let count = 0
    while (count < 100 && limit.take(key) === 0) count++
    return count
  }
  expect(passed('a')).toBe(20)
  expect(passed('b')).toBe(20)
  expect(limit.take('a')).toBe(100)
  await clock.advance(99)
  expect(limit.take('a')).toBe(1)
  await clock.advance(1)
  expect(passed('a')).toBe(1)
  await clock.advance(60_000)
  expect(passed('a')).toBe(20)
})

test('a key is forgotten once its bucket is full, and not before', async () => {
  const clock = virtualClock()
  const limit = new RateLimit(clock, 1, 20)
  for (let i = 0; i < 20; i++) limit.take('a')
  await clock.advance(10_000)
  expect(limit.size).toBe(1)
  await clock.advance(10_000)
  expect(limit.size).toBe(0)
  expect(clock.timers).toBe(0)
})

test('a clock that steps back neither gives nor takes', () => {
  let now = 1_000_000
  const limit = new RateLimit({ now: () => now, elapsed: () => now, after: () => () => {}, soon: () => {} }, 10, 1)
  expect(limit.take('a')).toBe(0)
  now -= 60_000
  expect(limit.take('a')).toBe(100)
  now += 100
  expect(limit.take('a')).toBe(0)
})

test('a token that is given back can be taken again, but not saved up', () => {
  const limit = new RateLimit(virtualClock(), 1, 1)
  limit.giveBack('a')
  expect(limit.take('a')).toBe(0)
  limit.giveBack('a')
  limit.giveBack('a')
  expect(limit.take('a')).toBe(0)
  expect(limit.take('a')).toBe(1_000)
})
