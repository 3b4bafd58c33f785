import { Attendance } from '../../bus/attendance.ts'
import type { Bus } from '../../bus/bus.ts'
import type { EngineId, GatewayId } from '../../bus/messages.ts'
import { ENGINES_SUBJECT, GATEWAYS_SUBJECT } from '../../bus/subjects.ts'
import type { Clock } from '../../protocol/clock.ts'
import type { MediaNodes } from '../media/nodes.ts'

const BEAT_MS = 1_000

export interface GatewaysPorts {
  readonly engine: EngineId
  readonly bus: Bus
  readonly clock: Clock
  /** Since which epoch each partition is this engine's. */
  readonly epochs: ReadonlyMap<number, number>
  /** One that was not there, or was taken for gone: it may have connections that this engine has let go. */
  came(gateway: GatewayId): void
  /** It has said nothing for 3 s: its connections are no more. */
  gone(gateway: GatewayId): void
  /** They are counted by the same beats. */
  readonly nodes: Pick<MediaNodes, 'sent' | 'returned'>
}

/**
 * The gateways that are there, by their beats and requests; and this engine's own beat, which tells them what it owns, and by
 * which it counts how long they have been silent.
 */
export class Gateways {
  readonly #ports: GatewaysPorts
  readonly #attendance = new Attendance<GatewayId>()
  readonly #ends: (() => void)[]
  #cancelBeat = () => {}
  #isSaying = false
  #closed = false

  constructor(ports: GatewaysPorts) {
    this.#ports = ports
    const { bus, engine } = ports
    this.#ends = [
      bus.subscribe(GATEWAYS_SUBJECT, (message) => {
        if (message.kind === 'gateway-beat') this.heard(message.gateway)
      }),
      // Its own beats come back with all others.
      bus.subscribe(ENGINES_SUBJECT, (message) => {
        if (message.kind !== 'engine-beat' || message.engine !== engine) return
        for (const gateway of this.#attendance.returned()) ports.gone(gateway)
        ports.nodes.returned()
      }),
    ]
    this.#beat()
  }

  /** A sign of life. */
  heard(gateway: GatewayId): void {
    if (!this.#attendance.heard(gateway)) return
    this.#ports.came(gateway)
    this.say()
  }

  /** Something is kept for it: where it has never been heard, its silence counts from now. */
  await(gateway: GatewayId): void {
    if (!this.#attendance.has(gateway)) this.#attendance.heard(gateway)
  }

  /** Says what this engine owns, at the end of this turn. */
  say(): void {
    if (this.#isSaying) return
    this.#isSaying = true
    this.#ports.clock.soon(() => {
      this.#isSaying = false
      this.#publish()
    })
  }

  close(): void {
    this.#closed = true
    for (const end of this.#ends) end()
    this.#cancelBeat()
  }

  #beat(): void {
    this.#attendance.sent()
    this.#ports.nodes.sent()
    this.#publish()
    this.#cancelBeat = this.#ports.clock.after(BEAT_MS, () => this.#beat())
  }

  #publish(): void {
    if (this.#closed) return
    const { bus, engine, epochs } = this.#ports
    bus.publish(ENGINES_SUBJECT, { kind: 'engine-beat', engine, owns: [...epochs].flat() })
  }
}
