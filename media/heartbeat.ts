import type { Clock } from '../protocol/clock.ts'

/** How long a lease of a policy lasts: without a newer one nothing is forwarded any more. */
export const LEASE_MS = 5_000

/**
 * The beats of one media node. Each lease names the last of them that its engine had heard, and runs from when that one left: a
 * lease that was long on its way, or waited for a node that stood still, is as old as the beat that it names.
 */
export class Heartbeat {
  readonly #clock: Clock
  #last = 0
  readonly #leftAt = new Map<number, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The number of a beat that leaves now; they count from 1. */
  next(): number {
    for (const beat of this.#leftAt.keys()) {
      if (this.ageOf(beat) < LEASE_MS) break
      this.#leftAt.delete(beat)
    }
    this.#leftAt.set(++this.#last, this.#clock.elapsed())
    return this.#last
  }

  /** The number of the last one; 0 before the first. */
  get last(): number {
    return this.#last
  }

  /** Ms since this beat left; Infinity where no lease runs from it any more, and for one that never was. */
  ageOf(beat: number): number {
    const leftAt = this.#leftAt.get(beat)
    return leftAt === undefined ? Number.POSITIVE_INFINITY : this.#clock.elapsed() - leftAt
  }
}
