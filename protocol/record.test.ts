import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode } from './codec.ts'
import { plainValue } from './plain.arbitrary.ts'
import { CorruptRecord, decodeRecord, encodeRecord, type LogRecord, recordChecksum, unwrap, wrap } from './record.ts'

const record: LogRecord = {
  room: 'r-1',
  kind: 'events',
  epoch: 3,
  id: 'e1.7',
  first: 12,
  previous: 0xdeadbeef,
  inputs: [{ type: 'move', by: 'ann', at: 1_700_000_000_000, seed: 1, sealed: Uint8Array.of(1, 2) }],
  rules: '0123456789abcdef0123456789abcdef',
}
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

describe('records', () => {
  test('decodeRecord(encodeRecord(x)) = x', () => {
    fc.assert(
      fc.property(
        fc.array(plainValue(), { maxLength: 5 }),
        fc.constantFrom('events', 'claim', 'base'),
        (inputs, kind) => {
          const made: LogRecord = { ...record, kind, inputs }
          expect(decodeRecord(encodeRecord(made), 'r-1')).toEqual(made)
        },
      ),
    )
  })

  test('every change of one byte is found', () => {
    const bytes = encodeRecord(record)
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] ?? 0) ^ flip
        expect(() => decodeRecord(damaged, 'r-1')).toThrow(CorruptRecord)
      }
    }
  })

  test('every truncation, and every byte too many, is found', () => {
    const bytes = encodeRecord(record)
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeRecord(bytes.slice(0, length), 'r-1')).toThrow(CorruptRecord)
    }
    expect(() => decodeRecord(Uint8Array.of(...bytes, 0), 'r-1')).toThrow(
      'a record of room r-1: the checksum does not match',
    )
  })

  test('random bytes throw nothing but CorruptRecord', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.boolean(), plainValue(2), (noise, wrapped, value) => {
        for (const bytes of [
          wrapped ? wrap('MR', noise) : noise,
          wrap('MR', encode(value)),
          wrap('MR', encode(value), 0),
        ]) {
          expect(() => decodeRecord(bytes)).toThrow(CorruptRecord)
        }
      }),
    )
  })

  test.each([
    [Uint8Array.of(0x4d), 'a record of room r-1: 1 bytes, too short'],
    [wrap('MS', encode([])), 'begins with "MS", not with "MR"'],
    [wrap('MR', encode([]), 2), 'format 2: it was written by a newer Madang'],
    [wrap('MR', Uint8Array.of(0xc1)), 'reserved'],
    [wrap('MR', encode({})), 'its body is not an array'],
    [wrap('MR', encode(['no room!'])), 'its room is not 1 to 64 of'],
    [wrap('MR', encode(['r-1', 'other'])), 'its kind is not a kind'],
    [wrap('MR', encode(['r-1', 'claim', -1])), 'its epoch is not an integer from 0'],
    [wrap('MR', encode(['r-1', 'claim', 1, 'e', 1, 0, {}])), 'its inputs is not an array'],
    [encodeRecord({ ...record, room: 'r-2' }), 'a record of room r-1: it belongs to room r-2'],
  ])('says what is wrong: %#', (bytes, message) => {
    expect(() => decodeRecord(bytes, 'r-1')).toThrow(CorruptRecord)
    expect(() => decodeRecord(bytes, 'r-1')).toThrow(message)
  })

  test('a stored record of format 0 reads in the present shape', () => {
    const stored = hex('4d5200809d0f7197a3722d31a66576656e747303a465312e370c91a568656c6c6fa461626364')
    expect(decodeRecord(stored, 'r-1')).toEqual({
      room: 'r-1',
      kind: 'events',
      epoch: 3,
      id: 'e1.7',
      first: 12,
      previous: 0,
      inputs: ['hello'],
      rules: 'abcd',
    })
  })

  test('recordChecksum differs with any part of a record', () => {
    const checksums = [
      record,
      { ...record, epoch: 4 },
      { ...record, id: 'e1.8' },
      { ...record, first: 13 },
      { ...record, previous: 1 },
      { ...record, inputs: [] },
      { ...record, rules: 'other' },
      { ...record, room: 'r-2' },
      { ...record, kind: 'base' as const },
    ].map((made) => recordChecksum(encodeRecord(made)))
    expect(new Set(checksums).size).toBe(checksums.length)
    expect(() => recordChecksum(Uint8Array.of(1))).toThrow(CorruptRecord)
  })

  test('takes inputs deeper and larger than frames, and refuses more than a store takes', () => {
    let deep: unknown = 1
    for (let i = 0; i < 100; i++) deep = [deep]
    const made = { ...record, inputs: [deep, 'x'.repeat(262_144)] }
    expect(decodeRecord(encodeRecord(made))).toEqual(made)
    expect(() => encodeRecord({ ...record, inputs: ['x'.repeat(1_000_000)] })).toThrow(RangeError)
    expect(() => encodeRecord({ ...record, inputs: [{ a: () => 1 }] })).toThrow('cannot encode [6][0].a: a function')
  })
})

test('an envelope keeps format and body, of a view of a larger buffer too', () => {
  const bytes = wrap('MS', Uint8Array.of(1, 2, 3), 7)
  const view = Uint8Array.of(9, 9, ...bytes, 9).subarray(2, 2 + bytes.length)
  expect(unwrap('MS', view)).toEqual({ format: 7, body: Uint8Array.of(1, 2, 3) })
  expect(() => unwrap('MR', view)).toThrow(CorruptRecord)
})
