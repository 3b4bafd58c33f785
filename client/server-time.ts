import type { Clock } from '../protocol/clock.ts'

/** Samples to choose from: about a minute of pings. Older ones would hide that the device's clock was set. */
const SAMPLES = 6

/** The server's clock as far as the best round trip of the last minute tells. */
export class ServerTime {
  readonly #clock: Clock
  #samples: { roundTrip: number; offset: number }[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes note of the time that the server gave in answer to something sent at `sent`. */
  heard(sent: number, serverTime: number): void {
    const received = this.#clock.now()
    const roundTrip = received - sent
    if (roundTrip < 0) return
    this.#samples = [...this.#samples.slice(1 - SAMPLES), { roundTrip, offset: serverTime + roundTrip / 2 - received }]
  }

  /** Ms since the epoch at the server; this device's own time before the first answer. */
  now(): number {
    let best = this.#samples[0]
    for (const sample of this.#samples) if (best && sample.roundTrip <= best.roundTrip) best = sample
    return Math.round(this.#clock.now() + (best?.offset ?? 0))
  }
}
