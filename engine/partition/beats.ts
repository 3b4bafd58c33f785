import type { Clock } from '../../protocol/clock.ts'

const BEAT_MS = 500
/** From the sending of a beat that came back: for so long no other engine can count this one dead, and write that it took over. */
const LEASE_MS = 1_800
/** A lease has ended so many beats after the one from which it runs, so that no more of them need be known. */
const BEATS_IN_LEASE = 4
/** So many own beats, each sent after the one before it had come back, are four times BEAT_MS: longer than any lease. */
const ROUNDS = 5

export interface BeatPorts {
  readonly clock: Clock
  /** Writes a beat into the ledger; it may be lost. */
  post(beat: number): void
}

/**
 * The beats of this engine, and the time that they measure: in rounds, each a beat that was sent after the round before it
 * had ended, and that came back through the ledger. Only timers and the ledger make them pass, so that neither a
 * clock that steps nor a bunch of beats that arrives late all at once passes for time.
 */
export class Beats {
  readonly #ports: BeatPorts
  /** The beat sent last; they count from 1. */
  #last = 0
  /** The last one that came back. */
  #back = 0
  readonly #sentAt = new Map<number, number>()
  #rounds = 0
  /** The first beat that can end this round. */
  #from = 1
  #cancel: (() => void) | null = null

  constructor(ports: BeatPorts) {
    this.#ports = ports
  }

  get last(): number {
    return this.#last
  }

  /** Whether the last beat that came back was sent less than LEASE_MS ago. */
  get isFresh(): boolean {
    const sentAt = this.#sentAt.get(this.#back)
    if (sentAt === undefined) return false
    return this.#ports.clock.elapsed() - sentAt < LEASE_MS
  }

  /** Beats now, and then every 500 ms. */
  start(): void {
    this.#last += 1
    this.#sentAt.set(this.#last, this.#ports.clock.elapsed())
    this.#sentAt.delete(this.#last - BEATS_IN_LEASE)
    this.repeat()
    this.#cancel = this.#ports.clock.after(BEAT_MS, () => this.start())
  }

  /** Posts the last beat again: what it says beside its number has changed. No time passes by it. */
  repeat(): void {
    this.#ports.post(this.#last)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#sentAt.clear()
  }

  /** The watch shows this beat. */
  cameBack(beat: number): void {
    this.#back = Math.max(this.#back, beat)
    if (beat < this.#from) return
    this.#rounds += 1
    this.#from = this.#last + 1
  }

  /** A mark of what was heard just now: the round from which on whole ones have passed. */
  mark(): number {
    return this.#last < this.#from ? this.#rounds : this.#rounds + 1
  }

  /** Whether ROUNDS rounds began and ended after this mark: every engine has seen what was marked, or is not sure of anything. */
  hasPassed(mark: number): boolean {
    return this.#rounds - mark >= ROUNDS
  }
}
