import { type Ending, TRANSPORTS, type TransportName } from './link.ts'

/** A WebSocket that broke this often in a row soon after it was up does not work here. */
const FALLS = 2
/** Soon: within this after WELCOME, ms. */
const SOON_MS = 10_000
/** What did not work is not tried again for this long, unless the network changes, ms. */
const UNFIT_MS = 1_800_000

/**
 * Which transports to try, and in which order, by what happened before. No I/O. `auto` begins with the WebSocket and then with
 * what worked last; all that goes over HTTP opens alike, so that only one of those is worth trying beside it.
 */
export class Ladder {
  readonly #choice: 'auto' | TransportName
  /** When a transport was found not to work here. */
  readonly #unfit = new Map<TransportName, number>()
  #last: TransportName = 'websocket'
  #falls = 0

  constructor(choice: 'auto' | TransportName) {
    this.#choice = choice
  }

  /** What to open, the first one first. */
  order(now: number): TransportName[] {
    if (this.#choice !== 'auto') return [this.#choice]
    const http = this.#last === 'websocket' || this.#isUnfit(this.#last, now) ? this.#http(now) : this.#last
    return this.#last === 'websocket' ? ['websocket', http] : [http, 'websocket']
  }

  /** What may work better than `running`, the best first. */
  better(running: TransportName, now: number): TransportName[] {
    if (this.#choice !== 'auto') return []
    const http = this.#http(now)
    const above = TRANSPORTS.slice(0, TRANSPORTS.indexOf(running))
    return above.filter((name) => name === 'websocket' || name === http)
  }

  /** This one has its WELCOME. */
  works(name: TransportName): void {
    this.#last = name
  }

  /** This one ended after its WELCOME, on a device that has a network. True where another one should be tried at once. */
  fell(name: TransportName, { code, silent, unfit, bye }: Ending, lasted: number, now: number): boolean {
    if (this.#choice !== 'auto') return false
    if (name !== 'websocket') {
      if (!unfit || name === 'poll') return false
      this.#unfit.set(name, now)
      this.#last = this.#http(now)
      return true
    }
    if (silent) this.#falls = FALLS
    else if (code === 1006 && bye === null && lasted < SOON_MS) this.#falls++
    else this.#falls = 0
    if (this.#falls >= FALLS) this.#last = this.#http(now)
    return false
  }

  /** Nothing at all could be reached, so that what fell before may have been the network. */
  unreachable(): void {
    if (this.#falls > 0) this.#last = 'websocket'
    this.#falls = 0
  }

  /** The network is another one. */
  moved(): void {
    this.#unfit.clear()
    this.#falls = 0
  }

  #http(now: number): TransportName {
    return TRANSPORTS.find((name) => name !== 'websocket' && !this.#isUnfit(name, now)) ?? 'poll'
  }

  #isUnfit(name: TransportName, now: number): boolean {
    const since = this.#unfit.get(name)
    return since !== undefined && now - since < UNFIT_MS
  }
}
