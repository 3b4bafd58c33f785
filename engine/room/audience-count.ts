import type { Clock } from '../../protocol/clock.ts'

/** A room tells its members how many watch, at most this often. */
const EVERY_MS = 1_000

/** Calls `tell` after the number of spectators changed or somebody came, at most once a second. */
export class AudienceCount {
  readonly #clock: Clock
  readonly #tell: () => void
  #waiting: (() => void) | null = null
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, tell: () => void) {
    this.#clock = clock
    this.#tell = tell
  }

  changed(): void {
    if (this.#waiting !== null) return
    // Also with a clock that stepped back.
    const wait = Math.min(EVERY_MS, Math.max(0, this.#toldAt + EVERY_MS - this.#clock.now()))
    this.#waiting = this.#clock.after(wait, () => {
      this.#waiting = null
      this.#toldAt = this.#clock.now()
      this.#tell()
    })
  }

  close(): void {
    this.#waiting?.()
  }
}
