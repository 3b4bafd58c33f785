import fc from 'fast-check'

const key = fc
  .oneof(
    { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'c', 'players', 'Ann') },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
    { weight: 1, arbitrary: fc.constantFrom('constructor', 'prototype', 'toString', 'length', '0') },
  )
  .filter((text) => text !== '__proto__')

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -40, max: 140 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 8 }),
  fc.string({ minLength: 200, maxLength: 300 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
)

/** Values that frames can carry; for tests. */
export const plainValue = (maxDepth = 4): fc.Arbitrary<unknown> =>
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth, withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 20 }),
      fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
    ),
  })).value

/** A value, and the same with a few places changed: what did not change is shared by reference. */
export const editedValue = (): fc.Arbitrary<[before: unknown, after: unknown]> =>
  fc
    .tuple(
      plainValue(5),
      fc.array(fc.tuple(fc.array(fc.nat(1000), { maxLength: 5 }), leaf, fc.nat(5)), { maxLength: 4 }),
    )
    .map(([before, edits]) => [before, edits.reduce((value: unknown, edit) => edited(value, ...edit), before)])

function edited(value: unknown, [turn, ...turns]: number[], leafValue: unknown, kind: number): unknown {
  if (turn === undefined || typeof value !== 'object' || value === null || value instanceof Uint8Array) return leafValue
  if (Array.isArray(value)) {
    const index = turn % (value.length + 1)
    if (kind === 0) return value.toSpliced(index, 1)
    if (kind === 1) return value.toSpliced(index, 0, leafValue)
    if (kind === 2) return [...value, leafValue]
    const copy = value.slice()
    copy[index] = edited(value[index], turns, leafValue, kind)
    return copy
  }
  const fields: Record<string, unknown> = { ...value }
  const keys = Object.keys(fields)
  const name = keys[turn % (keys.length + 1)] ?? 'new'
  if (kind === 0) delete fields[name]
  else fields[name] = edited(fields[name], turns, leafValue, kind)
  return fields
}
