import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decode, encode } from '../protocol/codec.ts'
import { pongTo } from './pong.ts'

const number = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
const time = fc.nat({ max: Number.MAX_SAFE_INTEGER })

test('a PONG gives back any t, and the time', () => {
  fc.assert(
    fc.property(number, time, (t, now) => {
      expect(decode(pongTo(encode([8, t]), now) ?? new Uint8Array())).toEqual([39, t === 0 ? 0 : t, now])
    }),
  )
})

test('a PING in a longer form, or with more elements than it needs, gets the same PONG', () => {
  for (const ping of [encode([8, 7, 'new']), Uint8Array.of(0xdc, 0, 2, 8, 7), Uint8Array.of(0x92, 0xcc, 8, 7)])
    expect(pongTo(ping, 1_700_000_000_000)).toEqual(encode([39, 7, 1_700_000_000_000]))
})

test('a t that is no number gets no PONG', () => {
  for (const t of [null, true, '7', [7], { t: 7 }, Uint8Array.of(7)]) {
    expect(pongTo(encode([8, t]), 1)).toBe(null)
    expect(pongTo(encode([8, t, 0]), 1)).toBe(null)
  }
  expect(pongTo(encode([8]), 1)).toBe(null)
})
