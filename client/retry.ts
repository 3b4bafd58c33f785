import type { Chance, Clock } from '../protocol/clock.ts'
import { backoff } from './backoff.ts'

const CAP_MS = 15_000
/** A connection that held this long clears the count of failures. */
const STABLE_MS = 5_000
/** A server that let us in once more is back: the next wait is at most 1.9 s, also if it falls soon. */
const FAILURES_AFTER_WELCOME = 5

export interface RetryListener {
  attempt(): void
  /** The connection held for a while. */
  stable(): void
}

/** When a connection is attempted again: after a wait that grows with the failures in a row. Owns the one timer of it, which also tells what held. */
export class Retry {
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #on: RetryListener
  #failures = 0
  #waiting: 'no' | 'for the network' | 'as told' = 'no'
  #cancel: () => void = () => {}

  constructor(clock: Clock, chance: Chance, on: RetryListener) {
    this.#clock = clock
    this.#chance = chance
    this.#on = on
  }

  /** Whether it waits because the server asked for it. */
  get isTold(): boolean {
    return this.#waiting === 'as told'
  }

  /** Attempts after the `least` ms that the server asked for, 0 where it did not, and a random part of the wait. */
  later(least: number): void {
    this.stop()
    this.#waiting = least > 0 ? 'as told' : 'for the network'
    const wait = least + backoff(this.#failures++, this.#chance, CAP_MS)
    this.#cancel = this.#clock.after(wait, () => this.#attempt())
  }

  /** Attempts at once where it waits for the network. */
  now(): void {
    if (this.#waiting === 'for the network') this.#attempt()
  }

  /** The connection is up. */
  welcomed(): void {
    this.stop()
    this.#failures = Math.min(this.#failures, FAILURES_AFTER_WELCOME)
    this.#cancel = this.#clock.after(STABLE_MS, () => {
      this.#failures = 0
      this.#on.stable()
    })
  }

  stop(): void {
    this.#cancel()
    this.#waiting = 'no'
  }

  #attempt(): void {
    this.stop()
    this.#on.attempt()
  }
}
