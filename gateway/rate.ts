import type { Clock } from '../protocol/clock.ts'

interface Bucket {
  /** In thousandths of a token, so that a rate per second is a whole number per ms. */
  level: number
  /** When `level` was true, ms. */
  at: number
}

const TOKEN = 1_000

const SWEEP_MS = 5_000

/**
 * Token buckets by key: `rate` per second sustained, `burst` at once. A bucket outlives the connections that
 * drew from it until it is full again, so that coming back does not refill it.
 */
export class RateLimit {
  readonly #clock: Clock
  readonly #rate: number
  readonly #full: number
  readonly #buckets = new Map<string, Bucket>()
  #cancelSweep: (() => void) | null = null

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock
    this.#rate = perSecond
    this.#full = burst * TOKEN
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes one token and returns 0, or takes none and returns the ms after which there is one. */
  take(key: string, now: number = this.#clock.now()): number {
    const bucket = this.#buckets.get(key) ?? this.#fresh(key, now)
    this.#refill(bucket, now)
    if (bucket.level < TOKEN) return Math.ceil((TOKEN - bucket.level) / this.#rate)
    bucket.level -= TOKEN
    return 0
  }

  /** Gives back a token that `take` took for something that another limit then refused. */
  giveBack(key: string): void {
    const bucket = this.#buckets.get(key)
    if (bucket) bucket.level = Math.min(this.#full, bucket.level + TOKEN)
  }

  close(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = null
    this.#buckets.clear()
  }

  #fresh(key: string, now: number): Bucket {
    const bucket = { level: this.#full, at: now }
    this.#buckets.set(key, bucket)
    this.#cancelSweep ??= this.#clock.after(SWEEP_MS, () => this.#sweep())
    return bucket
  }

  #refill(bucket: Bucket, now: number): void {
    // A clock that stepped back gives nothing until it has caught up.
    const elapsed = Math.max(0, now - bucket.at)
    bucket.level = Math.min(this.#full, bucket.level + elapsed * this.#rate)
    bucket.at = now
  }

  #sweep(): void {
    this.#cancelSweep = null
    const now = this.#clock.now()
    for (const [key, bucket] of this.#buckets) {
      this.#refill(bucket, now)
      if (bucket.level >= this.#full) this.#buckets.delete(key)
    }
    if (this.#buckets.size > 0) this.#cancelSweep = this.#clock.after(SWEEP_MS, () => this.#sweep())
  }
}
