import type { Clock } from '../../protocol/clock.ts'
import type { PlayerId } from '../../protocol/frames.ts'

/** The rules of a room are told who speaks at most this often. */
const EVERY_MS = 500

/** Who speaks loudest in one room: `tell` is called with what changed, at most twice a second. */
export class Speaking {
  readonly #clock: Clock
  readonly #tell: (player: PlayerId, speaking: boolean) => void
  #newest: PlayerId | null = null
  #told: PlayerId | null = null
  #waiting: (() => void) | null = null

  constructor(clock: Clock, tell: (player: PlayerId, speaking: boolean) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  heard(player: PlayerId | null): void {
    this.#newest = player
    if (this.#waiting === null) this.#say()
  }

  close(): void {
    this.#waiting?.()
  }

  #say(): void {
    this.#waiting = null
    const player = this.#newest ?? this.#told
    if (player === null || this.#newest === this.#told) return
    this.#told = this.#newest
    this.#waiting = this.#clock.after(EVERY_MS, () => this.#say())
    this.#tell(player, this.#newest !== null)
  }
}
