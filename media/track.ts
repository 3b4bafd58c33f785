import type { Consumer, Producer } from 'mediasoup/types'
import type { PlayerId } from '../protocol/frames.ts'
import type { Pipe } from './pipe.ts'
import { Reach } from './reach.ts'
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
  readonly #reach: Reach
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
    this.#reach = new Reach(producer.id, seat)
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

  /** Does `work` once this can be consumed at this seat. Rejects with Refusal where a worker has ended, or the track. */
  async at<T>(seat: Seat, work: () => Promise<T>): Promise<T> {
    await this.#reach.to(seat)
    return work()
  }

  /** Has what it sends go through a pipe to another node. Rejects where a worker has ended, or the track. */
  async into({ seat, transport }: Pipe): Promise<Consumer> {
    await this.#reach.to(seat)
    return transport.consume({ producerId: this.id })
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
