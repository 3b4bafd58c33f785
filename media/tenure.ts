import type { MediaLease } from '../bus/media-messages.ts'
import type { EngineId } from '../bus/messages.ts'
import type { Clock } from '../protocol/clock.ts'
import { type Heartbeat, LEASE_MS } from './heartbeat.ts'
import { type Grants, grantsOf } from './policy.ts'

const NOTHING = grantsOf(null)

/**
 * Whom one room at this node believes, and what is granted by that: the owner with the highest epoch, and its policy for as long as the
 * lease lasts: 5 s from the beat of this node that its giver had heard. Without a lease, and under one of a policy that has not come: nothing.
 */
export class Tenure {
  readonly #clock: Clock
  readonly #heartbeat: Heartbeat
  readonly #onEnd: () => void
  #engine: EngineId = ''
  #epoch = -1
  #seq = -1
  #hash: string | null = null
  #grants: Grants = NOTHING
  #isLeased = false
  /** The beat that this lease, or the last one, runs from. */
  #beat = 0
  #endLease = () => {}

  /** `heartbeat`: of the node. `onEnd` is called when a lease has run out. */
  constructor(clock: Clock, heartbeat: Heartbeat, onEnd: () => void) {
    this.#clock = clock
    this.#heartbeat = heartbeat
    this.#onEnd = onEnd
  }

  get engine(): EngineId {
    return this.#engine
  }

  /** -1 before any owner was heard. */
  get epoch(): number {
    return this.#epoch
  }

  /** Of the policy of this owner; null before it has come. */
  get hash(): string | null {
    return this.#hash
  }

  get isLeased(): boolean {
    return this.#isLeased
  }

  /** What may flow now. */
  get grants(): Grants {
    return this.#isLeased ? this.#grants : NOTHING
  }

  /** False for what comes from an owner that has been replaced. */
  believes({ engine, epoch }: { engine: EngineId; epoch: number }): boolean {
    if (epoch < this.#epoch) return false
    if (epoch > this.#epoch) {
      this.#epoch = epoch
      this.#seq = -1
      this.#hash = null
      this.#grants = NOTHING
    }
    this.#engine = engine
    return true
  }

  /** Takes a lease of the owner that is believed; false for one that a later one has overtaken, or that has run out on its way. */
  renew({ seq, hash, policy, beat }: MediaLease): boolean {
    const leftMs = LEASE_MS - this.#heartbeat.ageOf(beat)
    if (seq < this.#seq || leftMs <= 0) return false
    // One that comes late, or twice, shortens nothing.
    if (hash === this.#hash && beat < this.#beat) return true
    this.#seq = seq
    if (policy !== null && hash !== this.#hash) {
      this.#hash = hash
      this.#grants = grantsOf(policy)
    }
    this.#endLease()
    this.#isLeased = hash === this.#hash
    if (!this.#isLeased) return true
    this.#beat = beat
    this.#endLease = this.#clock.after(leftMs, () => {
      this.#isLeased = false
      this.#onEnd()
    })
    return true
  }

  close(): void {
    this.#endLease()
  }
}
