import type { Chance, Clock } from '../protocol/clock.ts'

const FIRST_MS = 15_000
const CAP_MS = 300_000
/** Each wait is drawn from this part of it upwards, so that clients that fell together do not come together. */
const LEAST = 0.75

/** When to look for a better transport: after 15 s, then ever more rarely, up to every 5 minutes. */
export class Probes {
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #probe: () => void
  #wait = FIRST_MS
  #cancel: (() => void) | null = null

  constructor(clock: Clock, chance: Chance, probe: () => void) {
    this.#clock = clock
    this.#chance = chance
    this.#probe = probe
  }

  /** Looks after the next wait, which is longer than the one before. */
  later(): void {
    this.stop()
    const wait = this.#wait * (LEAST + (1 - LEAST) * (this.#chance.uint32() / 2 ** 32))
    this.#wait = Math.min(CAP_MS, this.#wait * 2)
    this.#cancel = this.#clock.after(wait, () => {
      this.#cancel = null
      this.#probe()
    })
  }

  /** Looks at once, where a look was to come. */
  now(): void {
    if (this.#cancel === null) return
    this.stop()
    this.#probe()
  }

  /** Begins with short waits again. */
  reset(): void {
    this.#wait = FIRST_MS
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }
}
