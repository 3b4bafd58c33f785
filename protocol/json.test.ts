import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode, SERVER_LIMITS } from './codec.ts'
import { MalformedFrame } from './errors.ts'
import { fromJson, parseJsonFrame, parseJsonFrames, stringifyFrame, stringifyFrames, toJson } from './json.ts'
import { plainValue } from './plain.arbitrary.ts'

describe('the JSON form', () => {
  test('carries what the msgpack form carries, through text', () => {
    const dollars = fc.dictionary(fc.constantFrom('$', '$bin', '$$bin', '$$', 'a$', '$a'), plainValue(1), {
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(fc.oneof(plainValue(), dollars), (value) => {
        expect(fromJson(JSON.parse(JSON.stringify(toJson(value))))).toEqual(value)
        expect(parseJsonFrames(stringifyFrames([[5, value], [6]]), SERVER_LIMITS)).toEqual([[5, value], [6]])
        expect(parseJsonFrame(stringifyFrame([5, value]), SERVER_LIMITS)).toEqual(
          decode(encode([5, value]), SERVER_LIMITS),
        )
      }),
    )
  })

  test('is as documented', () => {
    expect(toJson([{ $bin: 1, a: Uint8Array.of(0, 255) }, undefined, { u: undefined }])).toEqual([
      { $$bin: 1, a: { $bin: 'AP8=' } },
      null,
      {},
    ])
    expect(fromJson({ $bin: 'AP8=' })).toEqual(Uint8Array.of(0, 255))
    expect(fromJson({ $$bin: 'AP8=' })).toEqual({ $bin: 'AP8=' })
  })

  test('carries large binary', () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) & 0xff)
    expect(fromJson(toJson(bytes))).toEqual(bytes)
  })

  test('floats above 53 bits stay floats', () => {
    for (const float of [2 ** 60, -(2 ** 53), 1e300, 123_456_789_012_345_680_000]) {
      expect(parseJsonFrame(stringifyFrame([5, float]))).toEqual([5, float])
    }
  })

  test.each([
    ['{', 'not JSON'],
    ['', 'not JSON'],
    ['{}', 'array of frames'],
    ['[{}]', 'begins with an integer'],
    ['[[]]', 'begins with an integer'],
    ['[["5"]]', 'begins with an integer'],
    ['[[1.5]]', 'begins with an integer'],
    ['[[1, 9007199254740992]]', '53 bits'],
    ['[[1, -9007199254740993]]', '53 bits'],
    ['[[1, 1e999]]', 'finite'],
    ['[[1, {"__proto__": 1}]]', '__proto__'],
    ['[[1, {"$x": 1}]]', 'double the $'],
    ['[[1, {"$bin": "AA==", "b": 1}]]', 'double the $'],
    ['[[1, {"$bin": 1}]]', 'base64'],
    ['[[1, {"$bin": "A"}]]', 'base64'],
    ['[[1, {"$bin": "AA"}]]', 'base64'],
    ['[[1, {"$bin": "A A=="}]]', 'base64'],
    ['[[1, "\\ud800"]]', 'surrogate'],
    ['[[1, {"\\udc00": 1}]]', 'surrogate'],
    [`[[1, ${'['.repeat(32)}${']'.repeat(32)}]]`, 'too deep'],
    [`[[1, ${'{"a":'.repeat(32)}1${'}'.repeat(32)}]]`, 'too deep'],
    ['['.repeat(60_000), 'not JSON'],
    [`[[1, ${'['.repeat(30_000)}${']'.repeat(30_000)}, 1234567890123456789]]`, ''],
    [`[[1, "${'a'.repeat(16_380)}"]]`, 'more than 16384 bytes'],
  ])('refuses %.60s', (text, reason) => {
    expect(() => parseJsonFrames(text)).toThrow(MalformedFrame)
    expect(() => parseJsonFrames(text)).toThrow(reason)
  })

  test('takes depth 32 and 16384 bytes', () => {
    expect(parseJsonFrames(`[[1, ${'['.repeat(31)}${']'.repeat(31)}]]`)).toHaveLength(1)
    expect(parseJsonFrames(`[[1, "${'a'.repeat(16_379)}"]]`)).toHaveLength(1)
  })

  test('random JSON throws nothing but MalformedFrame', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.json().map((text) => `[[5,${text}]]`),
        ),
        (text) => {
          try {
            for (const frame of parseJsonFrames(text)) decode(encode(frame))
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedFrame)
          }
        },
      ),
    )
  })

  test('toJson refuses what frames cannot carry, with its path', () => {
    expect(() => toJson({ a: [Number.NaN] })).toThrow('cannot encode a[0]: NaN')
  })
})
