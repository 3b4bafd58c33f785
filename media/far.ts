import type { MediaPart } from '../bus/media-messages.ts'
import type { Clock } from '../protocol/clock.ts'
import type { PlayerId } from '../protocol/frames.ts'
import type { Reach } from './reach.ts'
import { notYet } from './refusals.ts'
import type { Seat } from './seat.ts'
import { KIND_OF, type MediaKind, type Source } from './sources.ts'

/** How long a call waits for a track to come: its client asks again. */
const COMES_WITHIN_MS = 3_000

export interface FarTrackOptions {
  clock: Clock
  /** Whether it is awaited may have changed. */
  onChange: () => void
}

/** A track of another node of the room. It can be consumed here once it has come through the pipe from there. */
export class FarTrack {
  readonly id: string
  readonly player: PlayerId
  readonly source: Source
  readonly kind: MediaKind
  muted: boolean
  /** As the policy here says; the node where it is published pauses it. */
  unseen = true
  readonly #options: FarTrackOptions
  readonly #waiting = new Set<() => void>()
  #users = 0
  #reach: Reach | null = null
  #isClosed = false

  constructor({ track, player, source, muted }: MediaPart['tracks'][number], options: FarTrackOptions) {
    this.id = track
    this.player = player
    this.source = source
    this.kind = KIND_OF[source]
    this.muted = muted
    this.#options = options
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Somebody here is about to receive it. */
  get isAwaited(): boolean {
    return this.#users > 0
  }

  /** Does `work` once this can be consumed at this seat. Rejects with Refusal where it has ended, or does not come in time. */
  async at<T>(seat: Seat, work: () => Promise<T>): Promise<T> {
    this.#users++
    this.#options.onChange()
    try {
      if (this.#reach === null && !this.#isClosed) await this.#comes()
      if (this.#reach === null) throw notYet()
      await this.#reach.to(seat)
      return await work()
    } finally {
      this.#users--
      this.#options.onChange()
    }
  }

  /** It has come, and can be reached so from where the pipe ends. */
  come(reach: Reach): void {
    this.#reach = reach
    this.#tellWaiting()
  }

  /** It comes no longer. */
  go(): void {
    this.#reach = null
  }

  close(): void {
    this.#isClosed = true
    this.#reach = null
    this.#tellWaiting()
  }

  /** Resolves once it has come, has ended, or has not come in time. */
  #comes(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel()
        this.#waiting.delete(done)
        resolve()
      }
      const cancel = this.#options.clock.after(COMES_WITHIN_MS, done)
      this.#waiting.add(done)
    })
  }

  #tellWaiting(): void {
    for (const done of [...this.#waiting]) done()
  }
}
