import type { EngineId, Envelope } from '../bus/messages.ts'
import type { Clock } from '../protocol/clock.ts'
import type { GatewayCounters } from './counters.ts'

/** Three of the numbers that an engine repeats every 500 ms. */
const SILENT_MS = 1_500
const FORGET_MS = 60_000

interface Stream {
  number: number
  heardAt: number
  silent: boolean
}

/** The numbers of what each engine sends to this gateway: doubles are refused, holes and silence are noticed. */
export class Streams {
  readonly #clock: Clock
  readonly #counters: GatewayCounters
  /** Something that this engine sent was lost, or it is silent. */
  readonly #onLoss: (engine: EngineId) => void
  readonly #streams = new Map<EngineId, Stream>()

  constructor(clock: Clock, counters: GatewayCounters, onLoss: (engine: EngineId) => void) {
    this.#clock = clock
    this.#counters = counters
    this.#onLoss = onLoss
  }

  /** Whether the items of this envelope are news. Reports losses before it returns. */
  accept({ engine, number, items }: Envelope): boolean {
    const stream = this.#streams.get(engine)
    const heardAt = this.#clock.now()
    if (!stream) {
      this.#streams.set(engine, { number, heardAt, silent: false })
      return true
    }
    stream.heardAt = heardAt
    stream.silent = false
    const expected = items.length > 0 ? stream.number + 1 : stream.number
    if (number < expected) {
      if (items.length > 0) this.#counters.dropsDoubled++
      return false
    }
    stream.number = number
    if (number > expected) this.#lose(engine)
    return true
  }

  /** Notices engines that have fallen silent; to be called a few times a second. */
  watch(): void {
    const now = this.#clock.now()
    for (const [engine, stream] of this.#streams) {
      const silence = now - stream.heardAt
      if (silence > FORGET_MS) this.#streams.delete(engine)
      if (silence <= SILENT_MS || stream.silent) continue
      stream.silent = true
      this.#lose(engine)
    }
  }

  #lose(engine: EngineId): void {
    this.#counters.holes++
    this.#onLoss(engine)
  }
}
