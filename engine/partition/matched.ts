import type { Clock } from '../../protocol/clock.ts'
import type { Ref, RoomId } from '../../protocol/frames.ts'
import type { Asker } from '../room/admit.ts'

/** Promise 2 holds for a request that is sent again within this time. */
export const KEPT_MS = 10 * 60_000
const KEPT_MOST = 200_000

export interface Found {
  readonly game: string
  readonly room: RoomId
}

/** Where players were sent who asked for any room: whoever asks again with the same ref is sent there again. */
export class Matched {
  readonly #clock: Clock
  /** The oldest first. */
  readonly #found = new Map<string, Found & { readonly at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  find(asker: Pick<Asker, 'by' | 'session'>, ref: Ref): Found | undefined {
    return this.#found.get(keyOf(asker, ref))
  }

  /** Before anything is asked of the room: an answer may be lost. */
  note(asker: Pick<Asker, 'by' | 'session'>, ref: Ref, { game, room }: Found): void {
    const key = keyOf(asker, ref)
    const at = this.#clock.now()
    this.#found.delete(key)
    this.#found.set(key, { game, room, at })
    for (const [oldest, found] of this.#found) {
      if (found.at > at - KEPT_MS && this.#found.size <= KEPT_MOST) break
      this.#found.delete(oldest)
    }
  }

  /** The room did not take them. */
  forget(asker: Pick<Asker, 'by' | 'session'>, ref: Ref, room: RoomId): void {
    const key = keyOf(asker, ref)
    if (this.#found.get(key)?.room === room) this.#found.delete(key)
  }
}

const keyOf = ({ by, session }: Pick<Asker, 'by' | 'session'>, ref: Ref): string => `${by} ${session} ${ref}`
