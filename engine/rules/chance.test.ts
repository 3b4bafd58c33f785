import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dice, pick, random, shuffle } from './chance.ts'
import { RulesError } from './game.ts'
import { stepping } from './moment.ts'

const at = <T>(seed: number, draw: () => T): T => stepping({ at: 0, seed }, draw)
/** How often each outcome comes over seeds that lie close together, the worst case for a generator. */
const counts = (n: number, draw: () => unknown): number[] => {
  const seen = new Map<string, number>()
  for (let seed = 0; seed < n; seed++) {
    const key = JSON.stringify(at(seed, draw))
    seen.set(key, (seen.get(key) ?? 0) + 1)
  }
  return [...seen.values()]
}
/** Chi-square over the count of outcomes, in standard deviations from what chance alone would give. */
const oddness = (seen: readonly number[]): number => {
  const mean = seen.reduce((sum, count) => sum + count, 0) / seen.length
  const chi = seen.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0)
  return (chi - (seen.length - 1)) / Math.sqrt(2 * (seen.length - 1))
}

describe('chance', () => {
  it('keeps its stream: stored games depend on it', () => {
    expect(at(7, () => [dice(6), dice(6), dice(6), shuffle([1, 2, 3, 4, 5]), pick(['a', 'b', 'c'])])).toEqual([
      5,
      4,
      5,
      [5, 1, 4, 3, 2],
      'c',
    ])
    expect(at(0xffffffff, () => dice(1_000_000))).toBe(894032)
  })

  it('is uniform over near seeds: every order of four, every side, every pick, in the first draw and the third', () => {
    const orders = counts(24_000, () => shuffle([1, 2, 3, 4]))
    expect(orders).toHaveLength(24)
    expect(Math.abs(oddness(orders))).toBeLessThan(5)
    for (const draw of [() => dice(6), () => pick([1, 2, 3, 4, 5, 6]), () => [random(), random(), dice(6)][2]]) {
      const sides = counts(12_000, draw)
      expect(sides).toHaveLength(6)
      expect(Math.abs(oddness(sides))).toBeLessThan(5)
    }
  })

  it('random() lies from 0 up to 1, dice() from 1 to its sides, and shuffle() keeps what is in the list', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 0xffffffff }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.array(fc.nat()),
        (seed, sides, list) => {
          const [share, side, order] = at(seed, () => [random(), dice(sides), shuffle(list)] as const)
          expect(share >= 0 && share < 1).toBe(true)
          expect(Number.isInteger(side) && side >= 1 && side <= sides).toBe(true)
          expect(order.toSorted()).toEqual(list.toSorted())
          if (list.length > 0) expect(list).toContain(at(seed, () => pick(list)))
        },
      ),
    )
  })

  it.each([0, -1, 1.5, Number.NaN])('dice(%d) is refused', (sides) => {
    expect(() => at(1, () => dice(sides))).toThrow(RulesError)
  })

  it('pick([]) is refused', () => {
    expect(() => at(1, () => pick([]))).toThrow('a list with something in it')
  })
})
