import { gone } from './refusals.ts'
import type { Seat } from './seat.ts'

/** Where in a room, at this node, one producer can be consumed: at its own seat, and at each where it was asked for. */
export class Reach {
  readonly #producer: string
  readonly #seat: Seat
  readonly #pipes = new Map<Seat, Promise<void>>()

  constructor(producer: string, seat: Seat) {
    this.#producer = producer
    this.#seat = seat
  }

  /** Makes it consumable at this seat. Rejects with Refusal where a worker has ended, or the producer. */
  to(seat: Seat): Promise<void> {
    if (seat === this.#seat) return Promise.resolve()
    const known = this.#pipes.get(seat)
    if (known !== undefined) return known
    const piped = this.#seat.router
      .pipeToRouter({ producerId: this.#producer, router: seat.router, enableSctp: false })
      .then(
        () => {},
        () => {
          throw gone()
        },
      )
    this.#pipes.set(seat, piped)
    piped.catch(() => this.#pipes.delete(seat))
    return piped
  }
}
