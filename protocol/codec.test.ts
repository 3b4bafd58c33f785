import { encode as encodeAny } from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arrayHeader, concat, decode, encode, mapHeader, readHead, SERVER_LIMITS, scan } from './codec.ts'
import { MalformedFrame } from './errors.ts'
import { FRAME_LIMITS } from './frames.ts'
import { plainValue } from './plain.arbitrary.ts'
import { encodedSize } from './size.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const nested = (depth: number): Uint8Array =>
  concat(...Array.from({ length: depth - 1 }, () => arrayHeader(1)), arrayHeader(0))
const str = (...bytes: number[]): Uint8Array => Uint8Array.of(0xa0 | bytes.length, ...bytes)

describe('encode and decode', () => {
  test('decode(encode(x)) = x for random plain values, in as many bytes as encodedSize counts', () => {
    fc.assert(
      fc.property(plainValue(), (value) => {
        const bytes = encode(value)
        expect(bytes.length).toBe(encodedSize(value))
        expect(decode(bytes, SERVER_LIMITS)).toEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  test('long strings and keys keep a leading byte order mark', () => {
    for (const length of [10, 40, 250, 300, 255, 256, 65_530, 65_536, 70_000]) {
      const text = `\uFEFF\uFEFF${'a'.repeat(length)}é`
      expect(decode(encode({ [text]: [text, '', 1] }), SERVER_LIMITS)).toEqual({ [text]: [text, '', 1] })
    }
  })

  test('a short text is never taken for another one that was read before, whose letters are its bytes', () => {
    for (let code = 0x80; code < 0x800; code++)
      for (let prefix = 0; prefix < 8; prefix++) {
        const text = `${prefix}${String.fromCharCode(code)}`
        const letters = String.fromCharCode(...new TextEncoder().encode(text))
        expect([decode(encode(letters)), decode(encode(text))]).toEqual([letters, text])
      }
  })

  test('undefined is nil, and left out of objects', () => {
    expect(decode(encode([undefined, { a: undefined, b: 1 }]))).toEqual([null, { b: 1 }])
  })

  test('integral floats become integers', () => {
    expect(encode([1.0, -0, 2 ** 40])).toEqual(hex('93 01 00 cf0000010000000000'))
  })

  test('the bytes are those of an ordinary msgpack encoder', () => {
    fc.assert(
      fc.property(plainValue(), (value) => {
        expect(encode(value)).toEqual(encodeAny(value))
      }),
      { numRuns: 500 },
    )
    const edges = [7, 8, 15, 16, 31, 32, 53].flatMap((bits) => [
      2 ** bits - 1,
      2 ** bits,
      -(2 ** bits),
      -(2 ** bits) - 1,
    ])
    for (const number of [...edges, -32, -33, 0.5]) expect(encode(number)).toEqual(encodeAny(number))
  })

  test('what is encoded while a value is read leaves that value whole', () => {
    const value = {
      a: 'before',
      get b() {
        return encode(['x'.repeat(40_000)]).length
      },
      c: 'after',
    }
    expect(decode(encode(value))).toEqual({ a: 'before', b: 40_004, c: 'after' })
  })

  test('the bytes are safe to keep', () => {
    const first = encode(['one'])
    const kept = first.slice()
    encode(['something else'])
    expect(first).toEqual(kept)
  })

  test.each([
    [{ a: [1, Number.NaN] }, 'cannot encode a[1]: NaN is not a finite number'],
    [[Number.POSITIVE_INFINITY], 'cannot encode [0]: Infinity is not a finite number'],
    [{ f: () => 1 }, 'cannot encode f: a function'],
    [[1n], 'cannot encode [0]: a bigint'],
    [Symbol('s'), 'cannot encode the value: a symbol'],
    [{ d: new Date(0) }, 'cannot encode d: [object Date] is not plain data'],
    [[new Map()], 'cannot encode [0]: [object Map] is not plain data'],
    [[new Float32Array(1)], 'cannot encode [0]: [object Float32Array] is not plain data'],
    [['a\ud800'], 'cannot encode [0]: half of a surrogate pair'],
    [JSON.parse('{"__proto__": 1}'), 'cannot encode the value: the key __proto__'],
  ])('refuses what frames cannot carry, with its path: %#', (value, message) => {
    expect(() => encode(value)).toThrow(TypeError)
    expect(() => encode(value)).toThrow(message)
  })

  test('refuses a cycle, and nesting deeper than frames allow', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => encode(cycle)).toThrow('nested too deep')
    const deepest = decode(nested(32))
    expect(encode(deepest)).toEqual(nested(32))
    expect(() => encode([deepest])).toThrow('nested too deep')
  })

  test('encodes after a refusal as before', () => {
    expect(() => encode([[], 1n])).toThrow()
    expect(encode([[], 1])).toEqual(hex('92 90 01'))
  })
})

test('encodedSize is right on both sides of every width', () => {
  for (let bits = 0; bits <= 53; bits++) {
    for (const n of [2 ** bits - 1, 2 ** bits, -(2 ** bits) + 1, -(2 ** bits), -(2 ** bits) - 1]) {
      expect([n, encodedSize(n)]).toEqual([n, encode(n).length])
    }
  }
  for (const n of [15, 16, 31, 32, 255, 256, 65_535, 65_536]) {
    const values = [
      'x'.repeat(n),
      new Uint8Array(n),
      new Array(n).fill(0),
      Object.fromEntries(new Array(n).fill(0).map((_, i) => [i, 0])),
    ]
    for (const value of values) expect(encodedSize(value)).toBe(encode(value).length)
  }
  expect(encodedSize({ a: undefined, b: [undefined] })).toBe(encode({ a: undefined, b: [undefined] }).length)
  expect(encodedSize(['x'.repeat(50), 'y'.repeat(50)], 20)).toBeGreaterThan(20)
})

describe('scan', () => {
  test.each([
    ['', 'middle'],
    ['91', 'middle'],
    ['9101 00', '1 bytes left over'],
    ['dd ffffffff', 'middle'],
    ['df ffffffff', 'middle'],
    ['df 80000000', 'middle'],
    ['db ffffffff', 'middle'],
    ['c6 ffffffff', 'middle'],
    ['dc ffff', 'middle'],
    ['dc ff', 'middle'],
    ['d9', 'middle'],
    ['81 01 01', 'key is not a string'],
    ['81 c0 01', 'key is not a string'],
    ['81 90 01', 'key is not a string'],
    ['81 c40161 01', 'key is not a string'],
    ['81 a95f5f70726f746f5f5f 01', '__proto__'],
    ['81 d9095f5f70726f746f5f5f 01', '__proto__'],
    ['c1', 'reserved'],
    ['d4 01 00', 'extension'],
    ['d6 ff 00000000', 'extension'],
    ['c7 01 ef 00', 'extension'],
    ['c9 00000001 00 00', 'extension'],
    ['cb 7ff8000000000000', 'finite'],
    ['cb fff0000000000000', 'finite'],
    ['ca 7fc00000', 'finite'],
    ['ca ff800000', 'finite'],
    ['cf 0020000000000000', '53 bits'],
    ['cf ffffffffffffffff', '53 bits'],
    ['d3 ffe0000000000000', '53 bits'],
    ['d3 8000000000000000', '53 bits'],
    ['d3 0020000000000000', '53 bits'],
    ['cb 7ff0', 'middle'],
    ['92 dd 000000ff c1 c1', 'middle'],
    ['92 df 00000003 c1 c1', 'middle'],
    ['92 a5 ff', 'middle'],
    ['92 c6 000000ff c1', 'middle'],
  ])('refuses %s', (bytes, reason) => {
    expect(() => scan(hex(bytes))).toThrow(MalformedFrame)
    expect(() => scan(hex(bytes))).toThrow(reason)
  })

  test.each([
    [0x80],
    [0xbf],
    [0xc0, 0x80],
    [0xc1, 0xbf],
    [0xc2],
    [0xc2, 0x41],
    [0xe0, 0x9f, 0xbf],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xed, 0xbf, 0xbf],
    [0xef, 0xbf, 0x41],
    [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xff],
  ])('refuses bytes that are not UTF-8: %#', (...bytes) => {
    expect(() => scan(str(...bytes))).toThrow('UTF-8')
    expect(() => scan(concat(Uint8Array.of(0x81), str(...bytes), Uint8Array.of(1)))).toThrow('UTF-8')
  })

  test('agrees with a strict TextDecoder on what is UTF-8', () => {
    const strict = new TextDecoder('utf-8', { fatal: true })
    const lead = fc.constantFrom(0x41, 0x80, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5)
    const rest = fc.constantFrom(0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0)
    fc.assert(
      fc.property(fc.array(fc.tuple(lead, rest, rest, rest), { maxLength: 5 }), fc.nat(20), (groups, cut) => {
        const bytes = groups.flat().slice(0, cut)
        const accepts = (check: () => unknown): boolean => {
          try {
            check()
            return true
          } catch {
            return false
          }
        }
        expect(accepts(() => scan(str(...bytes)))).toBe(accepts(() => strict.decode(Uint8Array.from(bytes))))
      }),
      { numRuns: 2000 },
    )
  })

  test('accepts the widest integers of 53 bits, and floats of any size', () => {
    expect(decode(hex('93 cf001fffffffffffff d3ffe0000000000001 cb7fefffffffffffff'))).toEqual([
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      Number.MAX_VALUE,
    ])
  })

  test('accepts depth 32 and 16384 bytes, and no more', () => {
    scan(nested(32))
    expect(() => scan(nested(33))).toThrow('deeper than 32')
    expect(() => scan(concat(...Array.from({ length: 33 }, () => hex('81 a161')), hex('01')))).toThrow('deeper than 32')
    const full = encode(['a'.repeat(FRAME_LIMITS.bytes - 4)])
    expect(full.length).toBe(FRAME_LIMITS.bytes)
    scan(full)
    expect(() => scan(encode(['a'.repeat(FRAME_LIMITS.bytes - 3)]))).toThrow('16385 bytes')
  })

  test('random bytes and mutated frames make decode throw nothing but MalformedFrame, and scan accepts what decode accepts', () => {
    const mutated = fc
      .tuple(plainValue(), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat())
      .map(([value, edits, cut]) => {
        const bytes = encode([5, 1, 'room', value])
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte
        return cut % 3 === 0 ? bytes.slice(0, cut % bytes.length) : bytes
      })
    const typed = fc.array(fc.oneof(fc.integer({ min: 0x80, max: 0xdf }), fc.nat(255)), { maxLength: 40 })
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          typed.map((bytes) => Uint8Array.from(bytes)),
        ),
        (bytes) => {
          const attempt = (run: () => unknown): 'passed' | 'malformed' => {
            try {
              run()
              return 'passed'
            } catch (error) {
              expect(error).toBeInstanceOf(MalformedFrame)
              return 'malformed'
            }
          }
          const scanned = attempt(() => scan(bytes))
          expect(attempt(() => decode(bytes))).toBe(scanned)
          attempt(() => readHead(bytes))
          if (scanned === 'passed') expect(decode(encode(decode(bytes)))).toEqual(decode(bytes))
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('P5 bounded: bombs are refused before anything is allocated for them', () => {
    const bombs = [
      hex('dd ffffffff'),
      hex('df 7fffffff'),
      hex('91 dd ffffffff'),
      concat(...Array.from({ length: 64 }, () => hex('dd 00ffffff'))),
      concat(...Array.from({ length: 30 }, () => hex('dd 0000ffff')), new Uint8Array(FRAME_LIMITS.bytes - 150)),
    ]
    const refuse = (): void => {
      for (const bomb of bombs) expect(() => decode(bomb)).toThrow(MalformedFrame)
    }
    refuse()
    const before = process.memoryUsage()
    refuse()
    const after = process.memoryUsage()
    expect(after.heapUsed - before.heapUsed).toBeLessThan(4_000_000)
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1_000_000)
  })
})

describe('readHead', () => {
  const head = (frame: unknown): ReturnType<typeof readHead> => readHead(encode(frame))
  const none = { ref: null, room: null, game: null, isMedia: false, bad: null }

  test('reads op, ref, room and game, and nothing past them', () => {
    expect(head([1, { v: 1 }])).toEqual({ ...none, op: 1 })
    expect(head([2, 7, 'mafia', {}])).toEqual({ ...none, op: 2, ref: 7, game: 'mafia' })
    expect(head([3, 300, 'r-1'])).toEqual({ ...none, op: 3, ref: 300, room: 'r-1' })
    expect(head([4, 70_000, 'r'])).toEqual({ ...none, op: 4, ref: 70_000, room: 'r' })
    expect(head([5, 2 ** 40, 'x'.repeat(64), 'mark', {}])).toEqual({
      ...none,
      op: 5,
      ref: 2 ** 40,
      room: 'x'.repeat(64),
    })
    expect(head([6, 'r', 'stroke', new Uint8Array(3)])).toEqual({ ...none, op: 6, room: 'r' })
    expect(head([7, 5_000_000_000, 'r', 'start'])).toEqual({ ...none, op: 7, ref: 5_000_000_000, room: 'r' })
    expect(head([8, 12])).toEqual({ ...none, op: 8 })
    expect(head([9, 1, '마피아'])).toEqual({ ...none, op: 9, ref: 1, game: '마피아' })
    expect(head([10, 'r', {}])).toEqual({ ...none, op: 10, room: 'r' })
  })

  test('knows a CALL of media by its method, however long the method is written', () => {
    expect(head([7, 1, 'r', 'media.join', {}])).toEqual({ ...none, op: 7, ref: 1, room: 'r', isMedia: true })
    for (const text of ['a66d656469612e', 'd9066d656469612e', 'da00066d656469612e', 'db000000066d656469612e'])
      expect(readHead(hex(`940701a172${text}`))).toMatchObject({ op: 7, room: 'r', isMedia: true })
    for (const method of ['media', 'Media.join', 'chat', '', 12, null, { media: 1 }])
      expect(head([7, 1, 'r', method, 'media.join'])).toMatchObject({ isMedia: false, bad: null })
    expect(head([7, 1, 'r'])).toMatchObject({ isMedia: false })
    expect(head([5, 1, 'r', 'media.join'])).toMatchObject({ isMedia: false })
  })

  test('reads integers of every width', () => {
    for (const ref of [
      '01',
      'cc01',
      'cd0001',
      'ce00000001',
      'cf0000000000000001',
      'd001',
      'd10001',
      'd200000001',
      'd30000000000000001',
      'ca3f800000',
      'cb3ff0000000000000',
    ]) {
      for (const op of ['05', 'cd0005', 'd300 00000000000005']) {
        for (const array of ['94', 'dc0004', 'dd00000004']) {
          expect(readHead(hex(`${array}${op}${ref}a172a16d`))).toEqual({ ...none, op: 5, ref: 1, room: 'r' })
        }
      }
    }
  })

  test('says what is wrong with a head, and keeps the ref where it is readable', () => {
    expect(head([5, 9, 'no room!', 'm'])).toMatchObject({
      op: 5,
      ref: 9,
      room: null,
      bad: expect.stringContaining('room'),
    })
    expect(head([5, 9])).toMatchObject({ ref: 9, bad: expect.stringContaining('room') })
    expect(head([5, 9, 12])).toMatchObject({ ref: 9, bad: expect.stringContaining('room') })
    for (const ref of [0, -1, -300, 1.5, '9', null, [9], { a: 1 }, new Uint8Array(2)]) {
      expect(head([5, ref, 'r', 'm'])).toMatchObject({ op: 5, ref: null, bad: expect.stringContaining('ref') })
    }
    expect(head([5])).toMatchObject({ ref: null, bad: expect.stringContaining('ref') })
    expect(head([2, 9, ''])).toMatchObject({ ref: 9, game: null, bad: expect.stringContaining('game') })
    expect(head([2, 9, 'g'.repeat(300)])).toMatchObject({ ref: 9, bad: expect.stringContaining('game') })
    expect(head([6, 7])).toMatchObject({ op: 6, ref: null, bad: expect.stringContaining('room') })
    for (const op of [0, -5, 11, 31, 33, 99, -(2 ** 40)]) {
      expect(head([op, 4])).toMatchObject({ op, ref: 4, bad: expect.stringContaining('op') })
    }
    expect(head([99])).toMatchObject({ op: 99, ref: null })
  })

  test.each([[[]], [['5', 1]], [[null]], [[1.5]], [{ a: 1 }], [5], ['x'], [null]])(
    'refuses what is not an array that begins with an integer: %#',
    (value) => {
      expect(() => head(value)).toThrow(MalformedFrame)
    },
  )
})

test('parts spliced by header are the bytes of the whole', () => {
  for (const n of [0, 1, 15, 16, 300, 65_535, 65_536]) {
    const list = Array.from({ length: n }, (_, i) => i)
    const pairs = list.map((i): [string, number] => [`k${i}`, i])
    const elements = Buffer.concat(list.map((i) => encode(i)))
    const fields = Buffer.concat(pairs.flatMap(([key, value]) => [encode(key), encode(value)]))
    expect(concat(arrayHeader(n), elements)).toEqual(encode(list))
    expect(concat(mapHeader(n), fields)).toEqual(encode(Object.fromEntries(pairs)))
  }
})

test('what an ordinary msgpack encoder writes is read alike', () => {
  fc.assert(
    fc.property(plainValue(), (value) => {
      expect(decode(encodeAny(value), SERVER_LIMITS)).toEqual(value)
    }),
  )
})
