import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PARTITIONS } from '../../bus/subjects.ts'
import { Placement, placed } from './placement.ts'

const ids = (min: number, max: number) =>
  fc.uniqueArray(fc.stringMatching(/^e[0-9a-z]{1,3}-[0-9a-z]{1,7}$/), { minLength: min, maxLength: max })
const all = Array.from({ length: PARTITIONS }, (_, partition) => partition)

test('each of two to eight engines gets its share, within reason', () => {
  fc.assert(
    fc.property(ids(2, 8), (engines) => {
      const shares = new Map<string | null, number>()
      for (const p of all) shares.set(placed(p, engines), (shares.get(placed(p, engines)) ?? 0) + 1)
      const fair = PARTITIONS / engines.length
      // Six standard deviations of a fair draw: in so many draws five are met now and then.
      const slack = 6 * Math.sqrt(fair * (1 - 1 / engines.length))
      for (const engine of engines) expect(Math.abs((shares.get(engine) ?? 0) - fair)).toBeLessThan(slack)
    }),
    { numRuns: 300 },
  )
})

test('engines whose names differ in one digit get their shares too', () => {
  for (let n = 2; n <= 8; n++) {
    const engines = Array.from({ length: n }, (_, i) => `engine-${i}`)
    for (const engine of engines)
      expect(all.filter((p) => placed(p, engines) === engine).length).toBeGreaterThan(PARTITIONS / n / 2)
  }
})

test('an engine that leaves moves only its own partitions, and one that comes moves partitions only to itself', () => {
  fc.assert(
    fc.property(ids(2, 8), (engines) => {
      const [gone, ...staying] = engines
      for (const p of all) {
        const before = placed(p, engines)
        if (before !== gone) expect(placed(p, staying)).toBe(before)
      }
    }),
  )
})

test('the order of the engines does not matter', () => {
  fc.assert(
    fc.property(ids(1, 8), (engines) => {
      for (const p of all) expect(placed(p, engines)).toBe(placed(p, engines.toReversed()))
    }),
  )
})

test('without engines a partition is placed nowhere', () => {
  expect(placed(1, [])).toBeNull()
  expect(new Placement().of([])[1]).toBe('')
})
