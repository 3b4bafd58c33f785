/** A move between its sender and the other members of its room. */
interface Flight {
  /** When it was to be sent, ms; null until the answer tells which seq it is. */
  sent: number | null
  mover: number
  /** When each member saw it, ms; NaN: not yet. */
  seen: Float64Array
  unseen: number
}

/**
 * The moves of one room that are under way: `onSight` hears, for each, how long it took from when it was to be sent until each
 * of the other members had the document with it.
 */
export class Flights {
  readonly #members: number
  readonly #onSight: (latencies: readonly number[]) => void
  readonly #flights = new Map<number, Flight>()
  /** The seq up to which each member has seen. */
  readonly #shown: Float64Array

  constructor(members: number, onSight: (latencies: readonly number[]) => void) {
    this.#members = members
    this.#onSight = onSight
    this.#shown = new Float64Array(members)
  }

  /** A member's document is now that of `seq`, and shows all moves up to it. */
  shown(member: number, seq: number, now: number): void {
    const before = this.#shown[member] ?? 0
    if (seq <= before) return
    this.#shown[member] = seq
    // Who has just joined sees at once what the others saw before.
    if (before === 0) return
    for (let each = before + 1; each <= seq; each++) {
      const flight = this.#flight(each)
      flight.seen[member] = now
      flight.unseen -= 1
      this.#look(each, flight)
    }
  }

  /** The move that this member was to send at `sent` is `seq` in the log. */
  logged(member: number, seq: number, sent: number): void {
    const flight = this.#flight(seq)
    flight.sent = sent
    flight.mover = member
    this.#look(seq, flight)
  }

  /** Leaves what is under way. */
  forget(): void {
    this.#flights.clear()
  }

  #flight(seq: number): Flight {
    const known = this.#flights.get(seq)
    if (known !== undefined) return known
    const flight = {
      sent: null,
      mover: 0,
      seen: new Float64Array(this.#members).fill(Number.NaN),
      unseen: this.#members,
    }
    this.#flights.set(seq, flight)
    return flight
  }

  #look(seq: number, { sent, mover, seen, unseen }: Flight): void {
    if (unseen > 0 || sent === null) return
    this.#flights.delete(seq)
    this.#onSight([...seen].filter((_, member) => member !== mover).map((at) => at - sent))
  }
}
