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

/**
 * The numbered streams from one engine to each gateway. What is sent in one loop turn leaves as one envelope. A stream that ended
 * and begins anew shows a hole, wherever its gateway has read up to.
 */
export class Outbox {
  readonly #engine: EngineId
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #began: (gateway: GatewayId) => void
  readonly #streams = new Map<GatewayId, Stream>()
  /** Above the numbers of all streams that ended: here new ones begin, and nothing need be kept of who is gone. */
  #first = 0
  #beat: () => void
  #closed = false

  /** `began` is called for each stream, whose gateway is told of it twice a second until its `end`. */
  constructor(engine: EngineId, bus: Bus, clock: Clock, began: (gateway: GatewayId) => void) {
    this.#began = began
    this.#engine = engine
    this.#bus = bus
    this.#clock = clock
    this.#beat = clock.after(HEARTBEAT_MS, () => this.#heartbeat())
  }

  send(gateway: GatewayId, item: Item): void {
    if (this.#closed) return
    const stream = this.#streams.get(gateway) ?? this.#begin(gateway)
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

  /** Tells a gateway at once where its stream is: one whose stream has ended learns that it missed something. */
  greet(gateway: GatewayId): void {
    if (!this.#closed) this.#tell(gateway, this.#streams.get(gateway) ?? this.#begin(gateway))
  }

  /** Nobody is there to read it: what was gathered is lost. */
  end(gateway: GatewayId): void {
    const stream = this.#streams.get(gateway)
    if (stream === undefined) return
    this.#streams.delete(gateway)
    this.#first = Math.max(this.#first, stream.number + 1)
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

  #begin(gateway: GatewayId): Stream {
    const stream: Stream = { number: this.#first, items: [] }
    this.#streams.set(gateway, stream)
    this.#began(gateway)
    return stream
  }

  #flush(gateway: GatewayId, stream: Stream): void {
    if (this.#closed || this.#streams.get(gateway) !== stream) return
    const { items } = stream
    stream.items = []
    stream.number += 1
    this.#bus.publish(gatewaySubject(gateway), { kind: 'envelope', engine: this.#engine, number: stream.number, items })
  }

  #heartbeat(): void {
    for (const [gateway, stream] of this.#streams) this.#tell(gateway, stream)
    this.#beat = this.#clock.after(HEARTBEAT_MS, () => this.#heartbeat())
  }

  #tell(gateway: GatewayId, { number }: Stream): void {
    this.#bus.publish(gatewaySubject(gateway), { kind: 'envelope', engine: this.#engine, number, items: [] })
  }
}

const continues = (last: AnswerItem, item: AnswerItem): boolean =>
  last.id === item.id && last.conn === item.conn && last.room === item.room && !last.done
