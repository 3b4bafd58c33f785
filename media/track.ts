import type { Producer } from 'mediasoup/types'
import type { PlayerId } from '../protocol/frames.ts'
import type { Seat } from './seat.ts'
import { KIND_OF, type MediaKind, type Source } from './sources.ts'

export interface TrackOptions {
  producer: Producer
  source: Source
  player: PlayerId
  /** The id of the peer that publishes it, and where that peer sits. */
  peer: string
  seat: Seat
  muted: boolean
  unseen: boolean
}

/** What one peer publishes from one source. It flows unless its owner muted it or nobody may receive it. */
export class Track {
  readonly id: string
  readonly player: PlayerId
  readonly peer: string
  readonly source: Source
  readonly kind: MediaKind
  readonly #producer: Producer
  readonly #seat: Seat
  /** Where else in the room it can be consumed, or will be. */
  readonly #pipes = new Map<Seat, Promise<void>>()
  #muted: boolean
  #unseen: boolean
  /** What the worker was told last. */
  #isPaused: boolean

  /** The producer must be paused if `muted` or `unseen`. */
  constructor({ producer, source, player, peer, seat, muted, unseen }: TrackOptions) {
    this.id = producer.id
    this.player = player
    this.peer = peer
    this.source = source
    this.kind = KIND_OF[source]
    this.#producer = producer
    this.#seat = seat
    this.#muted = muted
    this.#unseen = unseen
    this.#isPaused = producer.paused
    this.#settle()
  }

  get muted(): boolean {
    return this.#muted
  }

  set muted(muted: boolean) {
    this.#muted = muted
    this.#settle()
  }

  get unseen(): boolean {
    return this.#unseen
  }

  set unseen(unseen: boolean) {
    this.#unseen = unseen
    this.#settle()
  }

  get isClosed(): boolean {
    return this.#producer.closed
  }

  /** Makes it consumable at another seat of the room. Rejects where a worker has ended, or the track. */
  reach(seat: Seat): Promise<void> {
    if (seat === this.#seat) return Promise.resolve()
    const known = this.#pipes.get(seat)
    if (known !== undefined) return known
    const piped = this.#seat.router
      .pipeToRouter({ producerId: this.id, router: seat.router, enableSctp: false })
      .then(() => {})
    this.#pipes.set(seat, piped)
    piped.catch(() => this.#pipes.delete(seat))
    return piped
  }

  getStats(): ReturnType<Producer['getStats']> {
    return this.#producer.getStats()
  }

  close(): void {
    this.#producer.close()
  }

  /** Requests reach the worker in the order in which they are made here, also those that are not waited for. */
  #settle(): void {
    const isPaused = this.#muted || this.#unseen
    if (isPaused === this.#isPaused || this.#producer.closed) return
    this.#isPaused = isPaused
    // Rejects only where the track ended meanwhile.
    this.#producer[isPaused ? 'pause' : 'resume']().catch(() => {})
  }
}
