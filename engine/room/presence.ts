import type { Clock } from '../../protocol/clock.ts'
import type { PlayerId } from '../../protocol/frames.ts'

/** How long a player may be without a connection before the room counts the player as dropped. */
const GRACE_MS = 5_000

/** The grace of players without a connection: `absent` is called for each whose grace ended. */
export class Presence {
  readonly #clock: Clock
  readonly #absent: (player: PlayerId) => void
  readonly #waiting = new Map<PlayerId, () => void>()

  constructor(clock: Clock, absent: (player: PlayerId) => void) {
    this.#clock = clock
    this.#absent = absent
  }

  /** The grace begins, unless it runs already. */
  gone(player: PlayerId): void {
    if (this.#waiting.has(player)) return
    const cancel = this.#clock.after(GRACE_MS, () => {
      this.#waiting.delete(player)
      this.#absent(player)
    })
    this.#waiting.set(player, cancel)
  }

  here(player: PlayerId): void {
    this.#waiting.get(player)?.()
    this.#waiting.delete(player)
  }

  close(): void {
    for (const cancel of this.#waiting.values()) cancel()
    this.#waiting.clear()
  }
}
