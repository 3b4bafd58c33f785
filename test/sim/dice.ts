import { fnv1a } from '../../bus/subjects.ts'
import type { Chance } from '../../protocol/clock.ts'

/** Chance from a seed and a name (mulberry32): each part of a world has its own, so that one more draw here moves nothing there. */
export class Dice implements Chance {
  #state: number

  constructor(seed: number, name: string) {
    this.#state = (fnv1a(name) ^ Math.imul(seed + 1, 0x9e3779b1)) >>> 0
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  bytes(n: number): Uint8Array {
    return Uint8Array.from({ length: n }, () => this.uint32() & 255)
  }

  /** A whole number from `least` to `most`, both included. Throws RangeError where there is none. */
  between(least: number, most: number): number {
    if (!(most >= least)) throw new RangeError(`nothing is between ${least} and ${most}`)
    return least + (this.uint32() % (most - least + 1))
  }

  /** True with this probability. */
  may(probability: number): boolean {
    return this.uint32() / 2 ** 32 < probability
  }

  /** One of these. Throws RangeError where there is none. */
  pick<T>(list: readonly T[]): T {
    const [picked] = list.length === 0 ? [] : list.slice(this.uint32() % list.length)
    if (picked === undefined) throw new RangeError('there is nothing to pick from')
    return picked
  }

  /** The same elements in another order. */
  shuffle<T>(list: readonly T[]): T[] {
    return list
      .map((value) => ({ value, order: this.uint32() }))
      .sort((a, b) => a.order - b.order)
      .map(({ value }) => value)
  }
}
