import { openSeat, type Seat } from './seat.ts'
import type { RunningWorker, Workers } from './workers.ts'

export interface SeatsOptions {
  workers: Workers
  onOpen: (seat: Seat) => void
  /** A worker ended that the room was on: all its seats are closed. */
  onLost: () => void
}

/** The workers that one room is on: one, and others once that one is full. */
export class Seats {
  readonly #options: SeatsOptions
  readonly #open = new Map<RunningWorker, Promise<Seat>>()
  /** Ends what listens for the end of these workers. */
  readonly #forget: (() => void)[] = []
  #home: Promise<RunningWorker> | null = null

  constructor(options: SeatsOptions) {
    this.#options = options
  }

  /** Where the next peer goes. Rejects where no worker is up. */
  async next(): Promise<Seat> {
    this.#home ??= this.#options.workers.take()
    try {
      const home = await this.#home
      if (!home.isFull) return await this.#at(home)
      const other = await this.#options.workers.take()
      return await this.#at(other.consumers < home.consumers ? other : home)
    } catch (error) {
      if (this.#open.size === 0) this.#home = null
      throw error
    }
  }

  /** Where pipes to other nodes end: the first that was opened. Null where none is open; rejects where its worker has ended. */
  async first(): Promise<Seat | null> {
    const [first = null] = this.#open.values()
    return first
  }

  /** Leaves all workers. */
  close(): void {
    for (const forget of this.#forget.splice(0)) forget()
    const seats = [...this.#open.values()]
    this.#open.clear()
    this.#home = null
    for (const seat of seats) seat.then(({ router }) => router.close()).catch(() => {})
  }

  #at(worker: RunningWorker): Promise<Seat> {
    const known = this.#open.get(worker)
    if (known !== undefined) return known
    const seat = openSeat(worker)
    this.#open.set(worker, seat)
    seat.then(
      (opened) => {
        // The room may have left meanwhile.
        if (this.#open.get(worker) !== seat) return
        const onGone = () => {
          this.close()
          this.#options.onLost()
        }
        this.#forget.push(worker.onGone(onGone))
        this.#options.onOpen(opened)
      },
      () => {
        if (this.#open.get(worker) === seat) this.#open.delete(worker)
      },
    )
    return seat
  }
}
