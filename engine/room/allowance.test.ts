import { expect, test } from 'vitest'
import { virtualClock } from '../../test/virtual-clock.ts'
import { Allowances } from './allowance.ts'

test('P5 bounded: so many at once, then so many a second; each key by itself', async () => {
  const clock = virtualClock()
  const allowances = new Allowances(clock)
  const draw = (key = 'ann') => allowances.draw(key, 3, 2)
  expect([draw(), draw(), draw(), draw()]).toEqual([0, 0, 0, 500])
  expect(draw('bob')).toBe(0)
  await clock.advance(499)
  expect(draw()).toBe(1)
  await clock.advance(1)
  expect([draw(), draw()]).toEqual([0, 500])
})

test('a clock that steps back an hour gives nothing, and takes nothing', () => {
  let now = 10_000_000
  const clock = { ...virtualClock(), now: () => now }
  const allowances = new Allowances(clock)
  for (let n = 0; n < 3; n++) allowances.draw('ann', 3, 2)
  now -= 3_600_000
  expect(allowances.draw('ann', 3, 2)).toBe(500)
  now += 500
  expect(allowances.draw('ann', 3, 2)).toBe(0)
})
