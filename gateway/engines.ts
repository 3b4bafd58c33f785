import { Attendance } from '../bus/attendance.ts'
import type { Bus } from '../bus/bus.ts'
import type { EngineId, GatewayId } from '../bus/messages.ts'
import { ENGINES_SUBJECT, GATEWAYS_SUBJECT } from '../bus/subjects.ts'
import type { Clock } from '../protocol/clock.ts'

const BEAT_MS = 1_000

/**
 * The engines that are there and which partitions are whose, as they say themselves; and this gateway's own beat, by which
 * engines know that it is there.
 */
export class Engines {
  readonly #gateway: GatewayId
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #onOwner: (partition: number, engine: EngineId, isFirst: boolean) => void
  readonly #attendance = new Attendance<EngineId>()
  /** By partition: the highest epoch that was heard of. */
  readonly #epochs = new Map<number, number>()
  readonly #ends: (() => void)[]
  #cancelBeat = () => {}

  /** `onOwner` is called for each partition that has a new owner, also for the first that is heard of. */
  constructor(
    gateway: GatewayId,
    bus: Bus,
    clock: Clock,
    onOwner: (partition: number, engine: EngineId, isFirst: boolean) => void,
  ) {
    this.#gateway = gateway
    this.#bus = bus
    this.#clock = clock
    this.#onOwner = onOwner
    this.#ends = [
      bus.subscribe(ENGINES_SUBJECT, (message) => {
        if (message.kind !== 'engine-beat') return
        const { engine, owns } = message
        this.#attendance.heard(engine)
        for (let i = 0; i + 1 < owns.length; i += 2) this.isOwner(owns[i] ?? 0, owns[i + 1] ?? 0, engine)
      }),
      // Its own beats come back with all others.
      bus.subscribe(GATEWAYS_SUBJECT, (message) => {
        if (message.kind === 'gateway-beat' && message.gateway === gateway) this.#attendance.returned()
      }),
    ]
    this.#beat()
  }

  /** How many are there. */
  get size(): number {
    return this.#attendance.size
  }

  /** Whether an engine owns a partition that says so; false where it has been replaced since. */
  isOwner(partition: number, epoch: number, engine: EngineId): boolean {
    const known = this.#epochs.get(partition)
    if (known === epoch) return true
    if (known !== undefined && epoch < known) return false
    this.#epochs.set(partition, epoch)
    this.#onOwner(partition, engine, known === undefined)
    return true
  }

  close(): void {
    for (const end of this.#ends) end()
    this.#cancelBeat()
  }

  #beat(): void {
    this.#attendance.sent()
    this.#bus.publish(GATEWAYS_SUBJECT, { kind: 'gateway-beat', gateway: this.#gateway })
    this.#cancelBeat = this.#clock.after(BEAT_MS, () => this.#beat())
  }
}
