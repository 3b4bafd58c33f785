import type { Consumer, ConsumerLayers } from 'mediasoup/types'
import type { RunningWorker } from './workers.ts'

/**
 * A track as one peer receives it. Packets flow while the policy grants it and the client wants it; both begin as no. It stays
 * while it is not granted, so that a grant costs one message to the worker.
 */
export class Reception {
  readonly id: string
  /** Ids of the peer and of the track. */
  readonly peer: string
  readonly track: string
  readonly consumer: Consumer
  readonly #worker: RunningWorker
  #granted = false
  #wanted = false
  /** What the worker was told last. */
  #told = false

  /** The consumer must be paused. */
  constructor(consumer: Consumer, peer: string, worker: RunningWorker) {
    this.id = consumer.id
    this.peer = peer
    this.track = consumer.producerId
    this.consumer = consumer
    this.#worker = worker
    worker.consumers++
  }

  get granted(): boolean {
    return this.#granted
  }

  set granted(granted: boolean) {
    this.#granted = granted
    this.#settle()
  }

  get wanted(): boolean {
    return this.#wanted
  }

  set wanted(wanted: boolean) {
    this.#wanted = wanted
    this.#settle()
  }

  get flows(): boolean {
    return this.#granted && this.#wanted
  }

  prefer(layers: ConsumerLayers): Promise<void> {
    return this.consumer.setPreferredLayers(layers)
  }

  /** `isOver`: its track has ended, and the worker has ended the consumer with it. */
  close(isOver: boolean): void {
    this.#worker.consumers--
    if (!isOver) this.consumer.close()
  }

  /** Requests reach the worker in the order in which they are made here, also those that are not waited for. */
  #settle(): void {
    const { flows } = this
    if (flows === this.#told || this.consumer.closed) return
    this.#told = flows
    // Rejects only where the consumer ended meanwhile.
    this.consumer[flows ? 'resume' : 'pause']().catch(() => {})
  }
}
