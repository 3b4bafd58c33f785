import type { Clock } from '../../protocol/clock.ts'

/** Counted in thousandths, so that a rate per second is a whole number per ms. */
const ONE = 1_000

/** What is left of each key's rate: `most` at once, and so many a second again. */
export class Allowances {
  readonly #clock: Clock
  readonly #left = new Map<string, { left: number; at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes one and returns 0, or takes none and returns the ms after which there is one. */
  draw(key: string, most: number, perSecond: number): number {
    const now = this.#clock.now()
    const full = most * ONE
    const { left, at } = this.#left.get(key) ?? { left: full, at: now }
    // A clock that stepped back gives nothing, and takes nothing.
    const filled = Math.min(full, left + Math.max(0, now - at) * perSecond)
    this.#left.set(key, { left: filled < ONE ? filled : filled - ONE, at: now })
    return filled < ONE ? Math.ceil((ONE - filled) / perSecond) : 0
  }

  forget(key: string): void {
    this.#left.delete(key)
  }
}
