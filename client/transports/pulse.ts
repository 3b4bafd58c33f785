import type { Clock } from '../../protocol/clock.ts'
import { PROBE_MS } from '../link.ts'
import type { Http } from './http.ts'

/** A link on which nothing was heard for this long, more than a poll is held, looks whether the server is there. */
const QUIET_MS = 28_000

/** Whether the server is still there: what any request hears of it counts, and where nothing was heard for long, it is asked. */
export class Pulse {
  readonly #clock: Clock
  readonly #http: Http
  readonly #dead: () => void
  #heardAt: number
  #probing = false
  #cancel: () => void = () => {}

  /** `dead`: the server was asked and did not answer. */
  constructor(clock: Clock, http: Http, dead: () => void) {
    this.#clock = clock
    this.#http = http
    this.#dead = dead
    this.#heardAt = clock.now()
  }

  heard(): void {
    this.#heardAt = this.#clock.now()
  }

  /** Watches from now on. */
  watch(): void {
    const quiet = this.#clock.now() - this.#heardAt
    if (quiet >= QUIET_MS) this.probe()
    this.#cancel = this.#clock.after(quiet >= QUIET_MS ? QUIET_MS : QUIET_MS - quiet, () => this.watch())
  }

  /** Asks now. */
  probe(): void {
    if (this.#probing) return
    this.#probing = true
    void this.reachable().then((reachable) => {
      this.#probing = false
      if (!reachable) this.#dead()
    })
  }

  /** Whether the server answers. Never rejects. */
  async reachable(): Promise<boolean> {
    try {
      const { status } = await this.#http.ask('/v1/me', PROBE_MS).answer
      return status < 500
    } catch {
      return false
    }
  }

  stop(): void {
    this.#cancel()
  }
}
