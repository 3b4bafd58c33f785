import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode } from './codec.ts'
import { MalformedFrame } from './errors.ts'
import { apply, diff, diffKeys, isPatchShorter, opsSize } from './patch.ts'
import { editedValue, plainValue } from './plain.arbitrary.ts'

const pairs = fc.oneof(fc.tuple(plainValue(), plainValue()), editedValue())
const freeze = (value: unknown): unknown => {
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    for (const inner of Object.values(value)) freeze(inner)
    Object.freeze(value)
  }
  return value
}

describe('diff', () => {
  test('apply(diff(a, b), a) = b for random documents and for random edits, and neither is changed', () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        freeze(before)
        freeze(after)
        expect(apply(before, freeze(diff(before, after)))).toEqual(after)
      }),
      { numRuns: 3000 },
    )
  })

  test('the ops are never larger than setting the whole, and opsSize counts their bytes', () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const ops = diff(before, after)
        const bytes = encode(ops)
        expect(opsSize(ops)).toBe(bytes.length)
        expect(bytes.length).toBeLessThanOrEqual(encode([[[], after]]).length)
      }),
      { numRuns: 2000 },
    )
  })

  test('isPatchShorter says whether the PATCH is no larger than the STATE', () => {
    fc.assert(
      fc.property(pairs, fc.nat(), ([before, after], from) => {
        const ops = diff(before, after)
        const patch = encode([36, 'room', from, from + 1, ops])
        const state = encode([35, 'room', from + 1, after])
        expect(isPatchShorter(ops, from, after)).toBe(patch.length <= state.length)
      }),
      { numRuns: 1000 },
    )
  })

  test('is empty for equal values, also where nothing is shared', () => {
    fc.assert(
      fc.property(plainValue(), (value) => {
        expect(diff(value, structuredClone(value))).toEqual([])
      }),
    )
  })

  const long = 'some words that make the whole longer than a path'
  test.each([
    ['a tie', { a: { b: 1 }, long }, { a: { b: 2 }, long }, [[['a', 'b'], 2]]],
    ['a deep set', { a: { b: 1, long }, long }, { a: { b: 2, long }, long }, [[['a', 'b'], 2]]],
    ['a key added', { long }, { long, n: 0 }, [[['n'], 0]]],
    ['a key deleted', { long, n: 0 }, { long }, [[['n']]]],
    ['a key set to null', { long, n: 0 }, { long, n: null }, [[['n'], null]]],
    ['a null key deleted', { long, n: null }, { long }, [[['n']]]],
    ['an absent key become null', { long }, { long, n: null }, [[['n'], null]]],
    ['a key become undefined', { long, n: 1 }, { long, n: undefined }, [[['n']]]],
    [
      'an append',
      { list: [long, long] },
      { list: [long, long, 3, 4] },
      [
        [['list', 2], 3],
        [['list', 3], 4],
      ],
    ],
    ['a shortening', { list: [long, 2, 3] }, { list: [long] }, [[['list', 2]], [['list', 1]]]],
    ['an element', { list: [long, 2, 3] }, { list: [long, 9, 3] }, [[['list', 1], 9]]],
    ['an array for an object', { long, a: [] }, { long, a: {} }, [[['a'], {}]]],
    ['binary', { long, a: Uint8Array.of(1) }, { long, a: Uint8Array.of(2) }, [[['a'], Uint8Array.of(2)]]],
    [
      'a parent that is shorter',
      { v: { a: 1, b: 2, c: 3 }, long },
      { v: { a: 4, b: 5, c: 6 }, long },
      [[['v'], { a: 4, b: 5, c: 6 }]],
    ],
    ['everything', [1], { a: 1 }, [[[], { a: 1 }]]],
    ['a scalar', 1, null, [[[], null]]],
    [
      'a key that no path may name',
      { a: { constructor: 1, long }, long },
      { a: { constructor: 2, long }, long },
      [[['a'], { constructor: 2, long }]],
    ],
  ])('%s', (_, before, after, ops) => {
    expect(diff(before, after)).toEqual(ops)
    expect(apply(before, ops)).toEqual(after)
  })

  test('does not look into what is shared', () => {
    const shared = new Proxy({}, { ownKeys: () => expect.unreachable('looked into a shared object') })
    expect(diff({ long, shared, a: 1 }, { long, shared, a: 2 })).toEqual([[['a'], 2]])
  })

  test('a prefix leads every path, and counts when a parent is set', () => {
    expect(diff({ a: 1, b: 1 }, { a: 2, b: 2 }, ['game', 'x'])).toEqual([[['game', 'x'], { a: 2, b: 2 }]])
    expect(diff(1, 2, ['game'])).toEqual([[['game'], 2]])
  })

  test('diffKeys never sets the object itself', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 2 }), plainValue(2), { noNullPrototype: true }),
        fc.dictionary(fc.string({ maxLength: 2 }), plainValue(2), { noNullPrototype: true }),
        (before, after) => {
          const ops = diffKeys(before, after, ['game'])
          for (const [path] of ops) expect(path.length).toBeGreaterThan(1)
          expect(apply({ game: { ...before, '!only': 1 } }, ops)).toEqual({ game: { ...after, '!only': 1 } })
        },
      ),
    )
    expect(() => diffKeys({}, { constructor: 1 })).toThrow('constructor')
  })
})

describe('apply', () => {
  test('shares what did not change', () => {
    const before = { a: { x: 1 }, b: { y: [1, { z: 2 }] } }
    const after = apply(before, [[['b', 'y', 0], 5]]) as typeof before
    expect(after).toEqual({ a: { x: 1 }, b: { y: [5, { z: 2 }] } })
    expect(after.a).toBe(before.a)
    expect(after.b.y[1]).toBe(before.b.y[1])
    expect(before.b.y[0]).toBe(1)
  })

  test('does not write into a value that an op brought', () => {
    const value = { n: 1 }
    expect(
      apply({}, [
        [['a'], value],
        [['a', 'n'], 2],
      ]),
    ).toEqual({ a: { n: 2 } })
    expect(value).toEqual({ n: 1 })
  })

  test.each([
    [{}, [[['a']]], 'patch op 0: there is no "a" to delete'],
    [{}, [[['a', 'b'], 1]], 'patch op 0: there is no "a"'],
    [{ n: 1 }, [[['n'], 2], [['x']]], 'patch op 1: there is no "x" to delete'],
    [{ n: 1 }, [[['n', 'x'], 2]], 'patch op 0: the path goes on'],
    [{ n: Uint8Array.of(1) }, [[['n', 0], 2]], 'patch op 0: the path goes on'],
    [null, [[['n'], 2]], 'patch op 0: the path goes on'],
    [[1], [[[2], 1]], 'patch op 0: 2 is not an index below 2'],
    [[1], [[[1]]], 'patch op 0: 1 is not an index below 1'],
    [[1], [[[-1], 1]], '-1 is not an index'],
    [[1], [[[0.5], 1]], '0.5 is not an index'],
    [[1], [[['0'], 1]], '"0" is not an index'],
    [[1], [[['length'], 0]], '"length" is not an index'],
    [{}, [[[0], 1]], '0 is not a key'],
    [{}, [[[null], 1]], 'null is not a key'],
    [{}, [[['__proto__', 'x'], 1]], '__proto__ cannot be named'],
    [{}, [[['__proto__'], {}]], '__proto__ cannot be named'],
    [{}, [[['constructor', 'prototype', 'x'], 1]], 'constructor cannot be named'],
    [{ a: {} }, [[['a', 'prototype'], 1]], 'prototype cannot be named'],
    [{}, [[['toString', 'x'], 1]], 'there is no "toString"'],
    [{}, [[['toString']]], 'there is no "toString"'],
    [{}, [[[]]], 'whole document'],
    [{}, [[]], '[path, value] or [path]'],
    [{}, [[[], 1, 2]], '[path, value] or [path]'],
    [{}, [['a', 1]], '[path, value] or [path]'],
    [{}, [null], '[path, value] or [path]'],
    [{}, 'ops', 'an array of ops'],
  ])('refuses a path that leads nowhere: %j %j', (document, ops, message) => {
    const before = structuredClone(document)
    expect(() => apply(document, ops)).toThrow(MalformedFrame)
    expect(() => apply(document, ops)).toThrow(message)
    expect(document).toEqual(before)
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  test('random ops throw nothing but MalformedFrame', () => {
    const step = fc.oneof(fc.constantFrom<unknown>('a', 'b', 0, 1, '__proto__', 'constructor', null), fc.integer())
    const op = fc.oneof(fc.tuple(fc.array(step)), fc.tuple(fc.array(step), plainValue(1)), plainValue(1))
    fc.assert(
      fc.property(plainValue(2), fc.array(op, { maxLength: 4 }), (document, ops) => {
        try {
          apply(document, ops)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedFrame)
        }
      }),
    )
  })
})
