import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitFrames } from './batch.ts'
import { concat, encode } from './codec.ts'
import { MalformedFrame } from './errors.ts'
import { FRAME_LIMITS } from './frames.ts'
import { plainValue } from './plain.arbitrary.ts'

test('frames that stand back to back come apart as they were, whatever they hold', () => {
  fc.assert(
    fc.property(fc.array(plainValue(), { maxLength: 8 }), (values) => {
      const frames = values.map((value) => encode(value))
      expect(splitFrames(concat(...frames), { ...FRAME_LIMITS, bytes: 1_048_576 }).map((frame) => [...frame])).toEqual(
        frames.map((frame) => [...frame]),
      )
    }),
  )
})

test('lengths of every width are stepped over', () => {
  const values = [
    'x'.repeat(40),
    'x'.repeat(300),
    'x'.repeat(70_000),
    new Uint8Array(40),
    new Uint8Array(300),
    new Uint8Array(70_000),
    Array.from({ length: 20 }, () => 1),
    Array.from({ length: 70_000 }, () => null),
    Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i])),
    [-1, 200, 70_000, 5_000_000_000, -200, -70_000, -5_000_000_000, 0.5],
  ]
  const frames = values.map((value) => encode(value))
  const limits = { bytes: 1_048_576, depth: 8 }
  expect(splitFrames(concat(...frames), limits)).toHaveLength(values.length)
})

test('bytes that are cut off anywhere but between frames are refused, and so is what no frame may hold', () => {
  const bytes = concat(
    encode([5, 1, 'room', 'mark', { cell: 3, note: 'x'.repeat(40), more: [1, 2.5, null] }]),
    encode([8, 1]),
  )
  const first = encode([5, 1, 'room', 'mark', { cell: 3, note: 'x'.repeat(40), more: [1, 2.5, null] }]).length
  for (let end = 1; end < bytes.length; end++) {
    if (end === first) continue
    expect(() => splitFrames(bytes.subarray(0, end)), `${end} bytes`).toThrow(MalformedFrame)
  }
  expect(splitFrames(new Uint8Array(0))).toEqual([])
  for (const bad of [
    [0xc1],
    [0xc7, 1, 5, 0],
    [0xd4, 1, 0],
    [0xd8, ...new Uint8Array(17)],
    [0xa1, 0xff],
    [0xcb, 0x7f, 0xf0],
  ])
    expect(() => splitFrames(Uint8Array.from(bad)), String(bad)).toThrow(MalformedFrame)
  expect(() => splitFrames(encode('x'.repeat(100)), { bytes: 50, depth: 8 })).toThrow(/100|102/)
})
