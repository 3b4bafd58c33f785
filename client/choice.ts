import type { Chance, Clock } from '../protocol/clock.ts'
import { MadangError } from './error.ts'
import { Ladder } from './ladder.ts'
import type { Ending, TransportName } from './link.ts'
import { Probes } from './probes.ts'

/** After a link that held this long, better ones are looked for soon again. */
const WORTHY_MS = 60_000

/** A change of transport that was asked for. */
interface Use {
  readonly to: 'auto' | TransportName
  resolve(): void
  reject(error: MadangError): void
}

export interface ChoicePort {
  /** Open what `order` says, instead of what is being opened. */
  open(): void
  /** Open one of these beside the link that runs, instead of what is being opened. */
  openBeside(names: readonly TransportName[]): void
  /** Open nothing beside it. */
  stay(): void
}

/**
 * What a session runs over: what was asked for, what worked before (`Ladder`), and when to look whether something better works
 * (`Probes`). Its connection tells it what came up, fell or could not be opened; it says what to open.
 */
export class Choice {
  readonly #clock: Clock
  readonly #port: ChoicePort
  readonly #probes: Probes
  #ladder: Ladder
  #use: Use | null = null
  #running: TransportName | null = null
  #upSince = 0

  constructor(clock: Clock, chance: Chance, transport: 'auto' | TransportName, port: ChoicePort) {
    this.#clock = clock
    this.#port = port
    this.#ladder = new Ladder(transport)
    this.#probes = new Probes(clock, chance, () => this.#probe())
  }

  /** What to open where nothing runs, the first one first. */
  get order(): TransportName[] {
    return this.#ladder.order(this.#clock.now())
  }

  /** As `Session.use`. */
  use(to: 'auto' | TransportName): Promise<void> {
    this.#giveUp('another change of transport was asked for')
    const running = this.#running
    if (running !== null && (to === 'auto' || to === running)) {
      this.#port.stay()
      this.#ladder = new Ladder(to)
      this.#ladder.works(running)
      this.#probes.reset()
      this.#probeLater()
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      this.#use = { to, resolve, reject }
      if (running !== null && to !== 'auto') return this.#port.openBeside([to])
      this.#ladder = new Ladder(to)
      this.#port.open()
    })
  }

  up(name: TransportName): void {
    const use = this.#use
    this.#use = null
    if (use?.to === name) this.#ladder = new Ladder(name)
    this.#ladder.works(name)
    this.#running = name
    this.#upSince = this.#clock.now()
    use?.resolve()
    this.#probeLater()
  }

  /** What was opened beside the one that runs did not come up. */
  stayed(reason: string): void {
    this.#giveUp(reason)
    this.#probeLater()
  }

  /** Nothing could be opened. */
  unreachable(): void {
    this.#ladder.unreachable()
  }

  /** What ran ended, on a device that has a network or not. True where another one should be tried at once. */
  fell(ending: Ending, isOnline: boolean): boolean {
    const name = this.#running
    const now = this.#clock.now()
    const lasted = now - this.#upSince
    this.#running = null
    this.#probes.stop()
    if (lasted >= WORTHY_MS) this.#probes.reset()
    this.#giveUp('the connection was lost meanwhile')
    return name !== null && isOnline && this.#ladder.fell(name, ending, lasted, now)
  }

  /** The network may be another one: `isBack` where there was none before. */
  look(isBack: boolean): void {
    if (isBack) {
      this.#ladder.moved()
      this.#probes.reset()
    }
    this.#probes.now()
  }

  /** The session is over. */
  close(reason: string): void {
    this.#running = null
    this.#probes.stop()
    this.#giveUp(reason)
  }

  #giveUp(reason: string): void {
    const use = this.#use
    this.#use = null
    use?.reject(new MadangError('unavailable', reason))
  }

  /** What may work better than what runs. */
  get #better(): TransportName[] {
    return this.#running === null ? [] : this.#ladder.better(this.#running, this.#clock.now())
  }

  #probeLater(): void {
    if (this.#better.length > 0) this.#probes.later()
    else this.#probes.stop()
  }

  /** Not while what was asked for is being opened. */
  #probe(): void {
    const better = this.#better
    if (better.length > 0 && this.#use === null) this.#port.openBeside(better)
  }
}
