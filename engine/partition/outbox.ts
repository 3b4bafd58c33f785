import type { Bus } from '../../bus/bus.ts'
import type { AnswerItem, EngineId, GatewayId, Item } from '../../bus/messages.ts'
import { gatewaySubject } from '../../bus/subjects.ts'
import type { Clock } from '../../protocol/clock.ts'

/** How often a gateway is told the last number of its stream, so that a lost last envelope is noticed. */
const HEARTBEAT_MS = 500

interface Stream {
  number: number
  items: Item[]
}

/** The numbered streams from one engine to each gateway. What is sent in one loop turn leaves as one envelope. */
export class Outbox {
  readonly #engine: EngineId
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #streams = new Map<GatewayId, Stream>()
  #beat: () => void
  #closed = false

  constructor(engine: EngineId, bus: Bus, clock: Clock) {
    this.#engine = engine
    this.#bus = bus
    this.#clock = clock
    this.#beat = clock.after(HEARTBEAT_MS, () => this.#heartbeat())
  }

  send(gateway: GatewayId, item: Item): void {
    if (this.#closed) return
    let stream = this.#streams.get(gateway)
    if (stream === undefined) {
      stream = { number: 0, items: [] }
      this.#streams.set(gateway, stream)
    }
    const last = stream.items.at(-1)
    if (item.kind === 'answer' && last?.kind === 'answer' && continues(last, item)) {
      last.frames.push(...item.frames)
      last.done = item.done
      if (item.attached !== undefined) last.attached = item.attached
      return
    }
    if (stream.items.length === 0) this.#clock.soon(() => this.#flush(gateway, stream))
    stream.items.push(item)
  }

  /** Sends what was gathered, and nothing more. */
  close(): void {
    for (const [gateway, stream] of this.#streams) if (stream.items.length > 0) this.#flush(gateway, stream)
    this.abandon()
  }

  /** Goes silent at once, as a crash would. */
  abandon(): void {
    this.#closed = true
    this.#beat()
  }

  #flush(gateway: GatewayId, stream: Stream): void {
    if (this.#closed) return
    const { items } = stream
    stream.items = []
    stream.number += 1
    this.#bus.publish(gatewaySubject(gateway), { kind: 'envelope', engine: this.#engine, number: stream.number, items })
  }

  #heartbeat(): void {
    for (const [gateway, { number }] of this.#streams)
      this.#bus.publish(gatewaySubject(gateway), { kind: 'envelope', engine: this.#engine, number, items: [] })
    this.#beat = this.#clock.after(HEARTBEAT_MS, () => this.#heartbeat())
  }
}

const continues = (last: AnswerItem, item: AnswerItem): boolean =>
  last.id === item.id && last.conn === item.conn && last.room === item.room && !last.done
