/** So many of one's own beats came back through the bus after the last sign of a peer: 3 s and more without one. */
const BEATS_MISSED = 4

/**
 * Peers on the bus that are there. One is gone once four beats of one's own have come back since it was heard last: where the
 * bus is down, and in a process that was paused, none come back, and so nobody is taken for gone. Its user
 * beats once a second, and calls `sent` with each beat, `returned` when a beat of its own arrives.
 */
export class Attendance<Peer extends string> {
  /** Own beats that came back since each was heard. */
  readonly #missed = new Map<Peer, number>()
  #isUnderway = false

  get size(): number {
    return this.#missed.size
  }

  has(peer: Peer): boolean {
    return this.#missed.has(peer)
  }

  /** True for one that was not there. */
  heard(peer: Peer): boolean {
    const isNew = !this.#missed.has(peer)
    this.#missed.set(peer, 0)
    return isNew
  }

  /** A beat of one's own leaves. Where the last one has not come back the bus was away, for the others too: all begin anew. */
  sent(): void {
    if (this.#isUnderway) for (const peer of this.#missed.keys()) this.#missed.set(peer, 0)
    this.#isUnderway = true
  }

  /** A beat of one's own came back: those that are gone by it. A double counts nothing. */
  returned(): Peer[] {
    if (!this.#isUnderway) return []
    this.#isUnderway = false
    const gone: Peer[] = []
    for (const [peer, missed] of this.#missed)
      if (missed + 1 < BEATS_MISSED) this.#missed.set(peer, missed + 1)
      else gone.push(peer)
    for (const peer of gone) this.#missed.delete(peer)
    return gone
  }
}
