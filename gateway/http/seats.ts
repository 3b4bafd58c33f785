import { Refusal } from '../../protocol/errors.ts'
import type { PlayerId } from '../../protocol/frames.ts'

const PER_PLAYER = 32
const PER_GATEWAY = 20_000
const RETRY_MS = 1_000

/** How many responses are held open here, at most so many per player and in all. */
export class Seats {
  readonly #taken = new Map<PlayerId, number>()
  #count = 0

  get size(): number {
    return this.#count
  }

  /** Takes a seat and returns what gives it back, once. Throws Refusal where there is none. */
  take(player: PlayerId): () => void {
    const taken = this.#taken.get(player) ?? 0
    if (taken >= PER_PLAYER)
      throw new Refusal('rate_limited', `a player holds at most ${PER_PLAYER} streams and polls open: end one`, {
        retryAfter: RETRY_MS,
      })
    if (this.#count >= PER_GATEWAY) throw new Refusal('unavailable', 'too many responses are held open here: try again')
    this.#taken.set(player, taken + 1)
    this.#count++
    let isBack = false
    return () => {
      if (isBack) return
      isBack = true
      this.#count--
      const left = (this.#taken.get(player) ?? 1) - 1
      if (left > 0) this.#taken.set(player, left)
      else this.#taken.delete(player)
    }
  }
}
