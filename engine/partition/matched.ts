import { matchPartition, partitionOf } from '../../bus/subjects.ts'
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

interface Noted extends Found {
  readonly at: number
  /** Since which epochs the game's queue and the room's partition were this engine's then; null: they were not. */
  readonly queue: number | null
  readonly owner: number | null
}

/**
 * Where players were sent who asked for any room: whoever asks again with the same ref is sent there again. What was noted counts while
 * the queue or the room stays this engine's: else they may have been seated elsewhere, without a word to this engine.
 */
export class MatchedPlayers {
  readonly #clock: Clock
  readonly #epochOf: (partition: number) => number | null
  /** The oldest first. */
  readonly #found = new Map<string, Noted>()

  /** `epochOf`: since which epoch a partition is this engine's; null where it is not, or is being handed over. */
  constructor(clock: Clock, epochOf: (partition: number) => number | null) {
    this.#clock = clock
    this.#epochOf = epochOf
  }

  find(asker: Pick<Asker, 'by' | 'session'>, ref: Ref): Found | undefined {
    const noted = this.#found.get(keyOf(asker, ref))
    if (noted === undefined) return undefined
    const { queue, owner } = this.#owned(noted)
    const isOurs = (queue !== null && queue === noted.queue) || (owner !== null && owner === noted.owner)
    return isOurs ? { game: noted.game, room: noted.room } : undefined
  }

  /** Before anything is asked of the room: an answer may be lost. */
  note(asker: Pick<Asker, 'by' | 'session'>, ref: Ref, { game, room }: Found): void {
    const key = keyOf(asker, ref)
    const at = this.#clock.now()
    this.#found.delete(key)
    this.#found.set(key, { game, room, at, ...this.#owned({ game, room }) })
    for (const [oldest, found] of this.#found) {
      if (found.at > at - KEPT_MS && this.#found.size <= KEPT_MOST) break
      this.#found.delete(oldest)
    }
  }

  #owned({ game, room }: Found): Pick<Noted, 'queue' | 'owner'> {
    return { queue: this.#epochOf(matchPartition(game)), owner: this.#epochOf(partitionOf(room)) }
  }

  /** The room did not take them. */
  forget(asker: Pick<Asker, 'by' | 'session'>, ref: Ref, room: RoomId): void {
    const key = keyOf(asker, ref)
    if (this.#found.get(key)?.room === room) this.#found.delete(key)
  }
}

const keyOf = ({ by, session }: Pick<Asker, 'by' | 'session'>, ref: Ref): string => `${by} ${session} ${ref}`
