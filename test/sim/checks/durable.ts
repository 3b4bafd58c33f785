import { decode } from '@msgpack/msgpack'
import type { Command, Message } from '../../../bus/messages.ts'
import { OP, type PlayerId, type Ref, type RoomId, type Seq, type SessionId } from '../../../protocol/frames.ts'
import type { SimStore } from '../store.ts'
import type { Timeline } from '../timeline.ts'

/** An OK that left an engine, and the request that it answers. */
export interface Acknowledged {
  readonly player: PlayerId
  readonly session: SessionId
  readonly ref: Ref
  readonly request: readonly unknown[]
  readonly value: unknown
  /** Events that were durable then, by room. */
  readonly durable: ReadonlyMap<RoomId, Seq>
}

const elements = (bytes: Uint8Array): unknown[] => {
  const frame = decode(bytes)
  return Array.isArray(frame) ? frame : []
}

/**
 * P1, checked as it happens: nothing that leaves an engine speaks of an event that is not durable at that moment. Collects
 * every OK for the checks that need the whole history.
 */
export class DurableCheck {
  readonly acknowledged: Acknowledged[] = []
  readonly #store: SimStore
  readonly #timeline: Timeline
  readonly #commands = new Map<string, Command>()

  constructor(store: SimStore, timeline: Timeline) {
    this.#store = store
    this.#timeline = timeline
  }

  /** Takes a message as it leaves its publisher. */
  see(subject: string, message: Message): void {
    if (message.kind === 'command') this.#commands.set(`gw.${message.gateway} ${message.id}`, message)
    if (message.kind !== 'envelope') return
    for (const item of message.items) {
      if (item.kind === 'output') {
        this.#reflects(item.room, item.head, 'an output')
        for (const { document, emits } of item.parts) {
          if (document !== null) this.#frame(item.room, document.frame)
          for (const emit of emits) this.#frame(item.room, emit)
        }
      }
      if (item.kind !== 'answer') continue
      if (item.attached) this.#reflects(item.room, Math.max(item.attached.seq, item.attached.heard), 'an attachment')
      const command = this.#commands.get(`${subject} ${item.id}`)
      for (const bytes of item.frames) {
        const frame = this.#frame(item.room, bytes)
        if (frame[0] === OP.ok && command !== undefined) this.#ok(command, frame)
      }
    }
  }

  #frame(room: RoomId, bytes: Uint8Array): unknown[] {
    const frame = elements(bytes)
    const [op] = frame
    const seq = op === OP.patch ? frame[3] : op === OP.state || op === OP.emit ? frame[2] : null
    if (typeof seq === 'number') this.#reflects(room, seq, `a ${op === OP.emit ? 'EMIT' : 'document'}`)
    return frame
  }

  #ok({ player, session, frames }: Command, [, ref, value]: unknown[]): void {
    const request = frames.map(elements).find((frame) => frame[1] === ref)
    if (request === undefined || typeof ref !== 'number') {
      this.#timeline.fail('P2', null, `an OK for ref ${ref} of ${player.id}, which did not ask that`)
      return
    }
    const room = typeof request[2] === 'string' ? request[2] : ''
    if (request[0] === OP.move && typeof value === 'number') this.#reflects(room, value, 'the OK of a move')
    if (request[0] === OP.join && isJoined(value)) this.#reflects(room, value.seq, 'the OK of a JOIN')
    const durable = new Map(this.#store.durable)
    this.acknowledged.push({ player: player.id, session, ref, request, value, durable })
  }

  #reflects(room: RoomId, seq: Seq, what: string): void {
    const durable = this.#store.durable.get(room) ?? 0
    if (seq > durable) this.#timeline.fail('P1', room, `${what} speaks of event ${seq}, and ${durable} are durable`)
  }
}

/** The OK value of a JOIN. Pure. */
export const isJoined = (value: unknown): value is { room: RoomId; role: string; seq: Seq } =>
  typeof value === 'object' && value !== null && 'seq' in value && typeof value.seq === 'number' && 'role' in value
