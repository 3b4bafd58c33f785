import type { Clock } from '../protocol/clock.ts'

interface Bucket {
  tokens: number
  /** When `tokens` was true, ms. */
  at: number
}

const SWEEP_MS = 5_000

/**
 * Token buckets by key: `rate` per second sustained, `burst` at once. A bucket outlives the connections that
 * drew from it until it is full again, so that coming back does not refill it.
 */
export class RateLimit {
  readonly #clock: Clock
  readonly #rate: number
  readonly #burst: number
  readonly #buckets = new Map<string, Bucket>()
  #cancelSweep: (() => void) | null = null

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock
    this.#rate = perSecond
    this.#burst = burst
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes one token and returns 0, or takes none and returns the ms after which there is one. */
  take(key: string): number {
    const now = this.#clock.now()
    const bucket = this.#buckets.get(key) ?? this.#fresh(key, now)
    this.#refill(bucket, now)
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / this.#rate) * 1000)
    bucket.tokens -= 1
    return 0
  }

  /** Gives back a token that `take` took for something that another limit then refused. */
  giveBack(key: string): void {
    const bucket = this.#buckets.get(key)
    if (bucket) bucket.tokens = Math.min(this.#burst, bucket.tokens + 1)
  }

  close(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = null
    this.#buckets.clear()
  }

  #fresh(key: string, now: number): Bucket {
    const bucket = { tokens: this.#burst, at: now }
    this.#buckets.set(key, bucket)
    this.#cancelSweep ??= this.#clock.after(SWEEP_MS, () => this.#sweep())
    return bucket
  }

  #refill(bucket: Bucket, now: number): void {
    // A clock that stepped back gives nothing until it has caught up.
    const elapsed = Math.max(0, now - bucket.at)
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (elapsed * this.#rate) / 1000)
    bucket.at = now
  }

  #sweep(): void {
    this.#cancelSweep = null
    const now = this.#clock.now()
    for (const [key, bucket] of this.#buckets) {
      this.#refill(bucket, now)
      if (bucket.tokens >= this.#burst) this.#buckets.delete(key)
    }
    if (this.#buckets.size > 0) this.#cancelSweep = this.#clock.after(SWEEP_MS, () => this.#sweep())
  }
}
