import { expect, test } from 'vitest'
import { Seats } from './seats.ts'

test('P5 a player takes 32 seats and a gateway gives 20,000; one that is given back, however often, is one seat', () => {
  const seats = new Seats()
  const own = Array.from({ length: 32 }, () => seats.take('ann'))
  expect(() => seats.take('ann')).toThrow(expect.objectContaining({ code: 'rate_limited' }))
  own[0]?.()
  own[0]?.()
  seats.take('ann')
  expect(() => seats.take('ann')).toThrow(expect.objectContaining({ code: 'rate_limited' }))
  const others = Array.from({ length: 20_000 - 32 }, (_, i) => seats.take(`player-${i}`))
  expect(() => seats.take('bob')).toThrow(expect.objectContaining({ code: 'unavailable' }))
  others[0]?.()
  seats.take('bob')
  expect(seats.size).toBe(20_000)
})
