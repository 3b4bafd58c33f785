import type { Owner } from './ownership.ts'

interface HoldingsPorts {
  /** Hears what is asked of a partition; returns the function that ends it. */
  listen(partition: number): () => void
  /** These, with their epochs, are this engine's. Resolves once their rooms that were live before are in memory, or known to be missing there. */
  own(partitions: ReadonlyMap<number, number>): Promise<void>
  /** As `Rooms.release` and `Rooms.lose`. */
  release(partition: number): Promise<void>
  lose(partition: number): void
  /** Nothing of it is this engine's any more. */
  gone(partition: number): void
  failed(what: string, error: unknown): void
}

/** The partitions that this engine owns, and how far each has come. */
export class Holdings implements Owner {
  readonly #ports: HoldingsPorts
  readonly #epochs = new Map<number, number>()
  /** Those that are on their way to another engine: what is under way there is finished, and nothing begun. */
  readonly #releasing = new Set<number>()
  /** By partition: ends what listens for its requests. */
  readonly #listening = new Map<number, () => void>()
  readonly #known = new Set<number>()
  #ready: Promise<unknown> = Promise.resolve()

  constructor(ports: HoldingsPorts) {
    this.#ports = ports
  }

  /** Since which epoch each is this engine's. */
  get epochs(): ReadonlyMap<number, number> {
    return this.#epochs
  }

  /** Since which epoch the partition is this engine's; null where it is not. */
  epochOf(partition: number): number | null {
    return this.#epochs.get(partition) ?? null
  }

  /** The same; null also where it is being handed over: nothing new may begin there. */
  stayingEpochOf(partition: number): number | null {
    return this.#releasing.has(partition) ? null : this.epochOf(partition)
  }

  /** Whether its requests are for this engine to answer. */
  answersFor(partition: number): boolean {
    return this.#listening.has(partition)
  }

  /** Those whose rooms that were live before are in memory, or known to be missing there. */
  known(): number[] {
    return [...this.#known]
  }

  /** Resolves once what was live before in the partitions that it was given is taken over. */
  async ready(): Promise<void> {
    await this.#ready
  }

  own(partitions: ReadonlyMap<number, number>): void {
    for (const [partition, epoch] of partitions) {
      this.#epochs.set(partition, epoch)
      this.#listening.set(partition, this.#ports.listen(partition))
    }
    const taken = this.#ports.own(partitions).then(() => {
      for (const [partition, epoch] of partitions)
        if (this.stayingEpochOf(partition) === epoch) this.#known.add(partition)
    })
    const done = taken.catch((error) => this.#ports.failed('taking over rooms', error))
    this.#ready = Promise.all([this.#ready, done])
  }

  async release(partition: number): Promise<void> {
    this.#releasing.add(partition)
    // Its rooms leave memory before it is let go.
    this.#known.delete(partition)
    this.#deafen(partition)
    await this.#ports.release(partition)
    this.#forget(partition)
  }

  lose(partition: number): void {
    this.#deafen(partition)
    this.#ports.lose(partition)
    this.#forget(partition)
  }

  /** Hears nothing more. */
  close(): void {
    for (const partition of [...this.#listening.keys()]) this.#deafen(partition)
  }

  #forget(partition: number): void {
    this.#epochs.delete(partition)
    this.#releasing.delete(partition)
    this.#known.delete(partition)
    this.#ports.gone(partition)
  }

  #deafen(partition: number): void {
    this.#listening.get(partition)?.()
    this.#listening.delete(partition)
  }
}
