import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32 } from './checksum.ts'

test('is the CRC-32 of gzip, in one run or going on', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      expect(crc32(a)).toBe(zlibCrc32(a))
      expect(crc32(b, crc32(a))).toBe(zlibCrc32(Buffer.concat([a, b])))
    }),
  )
})
