import type { EngineId, MediaLease } from '../bus/messages.ts'
import type { Clock } from '../protocol/clock.ts'
import { type Grants, grantsOf } from './policy.ts'

/** Without a lease for so long everything stops. */
const LEASE_MS = 5_000

const NOTHING = grantsOf(null)

/**
 * Whom one room at this node believes, and what is granted by that: the owner with the highest epoch, and its policy for as long as the
 * lease lasts. Before the first, after the last, and where the lease is for a policy that has not come: nothing.
 */
export class Tenure {
  readonly #clock: Clock
  readonly #onEnd: () => void
  #engine: EngineId = ''
  #epoch = -1
  #seq = -1
  #hash: string | null = null
  #grants: Grants = NOTHING
  #isLeased = false
  #endLease = () => {}

  /** `onEnd` is called when a lease has run out. */
  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock
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

  /** Takes a lease of the owner that is believed; false for one that a later one has overtaken. */
  renew({ seq, hash, policy }: MediaLease): boolean {
    if (seq < this.#seq) return false
    this.#seq = seq
    if (policy !== null && hash !== this.#hash) {
      this.#hash = hash
      this.#grants = grantsOf(policy)
    }
    this.#endLease()
    this.#isLeased = hash === this.#hash
    if (this.#isLeased)
      this.#endLease = this.#clock.after(LEASE_MS, () => {
        this.#isLeased = false
        this.#onEnd()
      })
    return true
  }

  close(): void {
    this.#endLease()
  }
}
