/**
 * Time and chance, handed in to everything that needs them, so that one simulator can run
 * engines, gateways, logs and clients in virtual time from a seed.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. May step backwards; users take `max` where order matters. */
  now(): number
  /**
   * Milliseconds since some moment: never steps, and goes on while the process stands still, though not while the machine is suspended. For what
   * must not outlast a lease.
   */
  elapsed(): number
  /** Runs `task` once after `ms` milliseconds; returns the function that cancels it (harmless when late). */
  after(ms: number, task: () => void): () => void
  /** Runs `task` at the end of this loop turn, after what is already queued: the place to batch output. */
  soon(task: () => void): void
}

export interface Chance {
  /** A random unsigned 32-bit integer. */
  uint32(): number
  /** `n` random bytes; cryptographically strong outside simulations. */
  bytes(n: number): Uint8Array
}
