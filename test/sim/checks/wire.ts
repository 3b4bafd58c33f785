import { decode } from '@msgpack/msgpack'
import { OP, type PlayerId, type RoomId, type Seq, type SessionId } from '../../../protocol/frames.ts'
import { playerOf } from '../bots.ts'
import type { Timeline } from '../timeline.ts'
import { isJoined } from './durable.ts'
import { canonical, type RoomPast } from './past.ts'
import { patched } from './patched.ts'
import { secretTold } from './secrets.ts'

/** One frame as it left a client or reached one. */
export interface WireFrame {
  readonly at: number
  readonly who: string
  readonly conn: number
  readonly session: SessionId
  readonly up: boolean
  readonly frame: readonly unknown[]
  readonly over: 'socket' | 'post' | 'read'
  /** What a GET asks for, which has no frame. */
  readonly reads?: Reading
  /** That GET was a poll, and has been answered with this. */
  readonly status?: number
}

/** A room is read over HTTP from this seq on: on a connection of its own. */
export interface Reading {
  readonly room: RoomId
  readonly since: Seq
  readonly as: 'stream' | 'poll'
  /** Seconds that a poll may be held. */
  readonly wait: number
}

/** Hears what goes over the links of one bot: `conn` is another one for each link. */
export interface WireTap {
  sent(who: string, conn: number, over: 'socket' | 'post', frame: readonly unknown[]): void
  /** `status`: of the answer, once it is whole. */
  reads(who: string, conn: number, reading: Reading, status?: number): void
  delivered(who: string, conn: number, over: WireFrame['over'], frame: readonly unknown[]): void
}

export const frameOf = (bytes: Uint8Array): readonly unknown[] => {
  const frame = decode(bytes)
  return Array.isArray(frame) ? frame : []
}

/** What one connection holds of one room. */
interface Held {
  seq: Seq | null
  document: unknown
  /** After this seq all EMITs must come: the first PATCH since a STATE or JOIN; null before it. */
  complete: Seq | null
  emits: { seq: Seq; event: string }[]
  /** The seq is the client's word, and may be above that at which the document changed: polls stamp with the room's head. */
  isTold: boolean
}

/**
 * P3 and P4 on every byte that reached a client: patches follow each other without a gap, every document is the one that the
 * rules show this player at that seq, every EMIT is one that this player may hear, once, in order, none left out.
 */
export const checkWire = (
  pasts: ReadonlyMap<RoomId, RoomPast>,
  wire: readonly WireFrame[],
  timeline: Timeline,
): void => {
  const conns = new Map<number, Conn>()
  for (const { at: time, who, conn, up, over, frame, reads, status } of wire) {
    const at = conns.get(conn) ?? new Conn(who, conn, pasts, timeline)
    conns.set(conn, at)
    // What a POST is answered with is shown by another link: the SDK holds it back until then.
    if (over === 'post' || status !== undefined) continue
    if (reads) at.reads(reads)
    else if (up) at.sent(frame)
    else at.delivered(frame, time)
  }
  for (const conn of conns.values()) conn.ended()
}

class Conn {
  readonly #player: PlayerId
  readonly #name: string
  readonly #pasts: ReadonlyMap<RoomId, RoomPast>
  readonly #timeline: Timeline
  readonly #requests = new Map<unknown, readonly unknown[]>()
  readonly #rooms = new Map<RoomId, Held>()
  /** Refs of the JOINs. */
  readonly #joins = new Map<RoomId, number>()
  /** The room that a poll asks for; null where this is none. */
  #poll: RoomId | null = null
  /** What the poll goes on from. */
  #since: Seq = 0
  #at = 0

  constructor(who: string, conn: number, pasts: ReadonlyMap<RoomId, RoomPast>, timeline: Timeline) {
    this.#player = playerOf(who)
    this.#name = `${who} (link ${conn})`
    this.#pasts = pasts
    this.#timeline = timeline
  }

  sent(frame: readonly unknown[]): void {
    this.#requests.set(frame[1], frame)
  }

  reads({ room, since, as }: Reading): void {
    const seq = since === 0 ? null : since
    // What a poll answers from `since` on is all there is; a stream may have let go of EMITs of before.
    const complete = as === 'poll' ? seq : null
    this.#poll = as === 'poll' ? room : null
    this.#since = since
    this.#rooms.set(room, { seq, document: this.#documentAt(room, seq), complete, emits: [], isTold: true })
  }

  /** A poll's answer is whole: there is no next document before which its EMITs must have come. */
  ended(): void {
    const held = this.#poll === null ? undefined : this.#rooms.get(this.#poll)
    if (this.#poll !== null && held?.isTold === false) this.#settleEmits(this.#poll, held)
  }

  delivered(frame: readonly unknown[], at: number) {
    this.#at = at
    const [op, second, third, fourth, fifth] = frame
    if (op === OP.ok) return this.#ok(second, third)
    if (op === OP.note && typeof second === 'string' && (third === 'kicked' || third === 'left'))
      return this.#gone(second)
    if (typeof second !== 'string' || typeof third !== 'number') return
    if (op === OP.state) this.#document(second, third, fourth, null)
    if (op === OP.patch && typeof fourth === 'number') this.#patch(second, third, fourth, fifth)
    if (op === OP.emit) this.#emit(second, third, fourth)
  }

  /** What is answered after one's leave is not seen any more. */
  #gone(room: RoomId) {
    this.#rooms.delete(room)
  }

  #ok(ref: unknown, value: unknown) {
    const request = this.#requests.get(ref)
    const room = request?.[2]
    if (request === undefined || typeof room !== 'string') return
    // A LEAVE from before the JOIN, sent again, leaves nothing.
    if (request[0] === OP.leave) return Number(ref) < (this.#joins.get(room) ?? 0) ? undefined : this.#gone(room)
    if (request[0] === OP.join && isJoined(value)) {
      this.#joins.set(room, Number(ref))
      const extra = request[3]
      const since = typeof extra === 'object' && extra !== null && 'since' in extra ? extra.since : null
      const held = this.#rooms.get(room)
      // A JOIN goes on from what the client held then, on this link or an earlier one.
      const before = typeof since === 'number' ? since : null
      const document = before !== null && held?.seq === before ? held.document : this.#documentAt(room, before)
      this.#rooms.set(room, { seq: before, document, complete: null, emits: [], isTold: true })
    }
    if (request[0] === OP.move && typeof value === 'number') {
      const held = this.#rooms.get(room)
      const changed = this.#pasts.get(room)?.changed(value, this.#player)
      if (held?.seq != null && changed !== undefined && held.seq < changed)
        this.#fail(
          'P3',
          room,
          `got the OK of a move at ${value} while it held ${held.seq}: its document changed at ${changed}`,
        )
    }
  }

  #documentAt(room: RoomId, seq: Seq | null): unknown {
    const document = seq === null ? undefined : this.#pasts.get(room)?.document(seq, this.#player)
    return document === undefined ? null : JSON.parse(document)
  }

  #patch(room: RoomId, from: Seq, seq: Seq, ops: unknown) {
    const held = this.#rooms.get(room)
    this.#timeline.count('PATCH')
    if (held === undefined || !this.#fits(room, held, from))
      return this.#fail('P3', room, `got a PATCH from ${from} to ${seq} and held ${held?.seq ?? 'nothing'}`)
    this.#document(room, seq, patched(held.document, ops), from)
  }

  /** Whether a PATCH from this seq is one from the document that is held. */
  #fits(room: RoomId, { seq, isTold }: Held, from: Seq): boolean {
    if (seq === from || seq === null || !isTold) return seq === from
    return from < seq && from >= (this.#pasts.get(room)?.changed(seq, this.#player) ?? seq)
  }

  #document(room: RoomId, seq: Seq, document: unknown, from: Seq | null): void {
    const past = this.#pasts.get(room)
    const held = this.#rooms.get(room)
    if (from === null) this.#timeline.count('STATE')
    if (held?.seq != null && (seq < held.seq || (this.#poll === null && from !== null && seq === from)))
      this.#fail('P3', room, `went from ${held.seq} to ${seq}`)
    const expected = past?.document(seq, this.#player)
    if (expected !== canonical(document))
      this.#fail('P4', room, `was shown ${canonical(document)} at ${seq}; the rules show ${expected ?? 'nothing'}`)
    const secret = past === undefined ? null : secretTold(past, seq, this.#player, document)
    if (secret !== null) this.#fail('P4', room, `was told at ${seq} ${secret}`)
    const emits = held === undefined || from === null ? [] : this.#settleEmits(room, held)
    this.#rooms.set(room, {
      seq,
      document,
      complete: from === null ? null : (held?.complete ?? seq),
      emits,
      isTold: false,
    })
  }

  /** A commit's EMITs follow its document: when the next document comes, those up to the one held have come. */
  #settleEmits(room: RoomId, { complete, seq: upTo, emits }: Held): Held['emits'] {
    const past = this.#pasts.get(room)
    if (complete === null || upTo === null || past === undefined) return emits
    for (let seq = complete + 1; seq <= upTo; seq++) {
      const expected = past.emits(seq, this.#player)
      const got = emits.filter((emit) => emit.seq === seq).map(({ event }) => event)
      if (expected.join() !== got.join())
        this.#fail(
          'P3',
          room,
          `got ${got.length} of ${expected.length} EMITs of event ${seq} before the document after ${upTo}`,
        )
    }
    return emits
  }

  #emit(room: RoomId, seq: Seq, event: unknown) {
    this.#timeline.count('EMIT')
    const held = this.#rooms.get(room)
    if (this.#poll === room && seq <= this.#since)
      this.#fail('P3', room, `heard an EMIT at ${seq} from a poll that goes on from ${this.#since}`)
    const text = canonical(event)
    const may = this.#pasts.get(room)?.emits(seq, this.#player) ?? []
    if (!may.includes(text)) this.#fail('P4', room, `heard ${text} at ${seq}, which is not for it`)
    if (held === undefined) return this.#fail('P3', room, `heard an EMIT at ${seq} before any document`)
    const last = held.emits.at(-1)
    if (last !== undefined && seq < last.seq) this.#fail('P3', room, `heard an EMIT at ${seq} after one at ${last.seq}`)
    held.emits.push({ seq, event: text })
    if (
      held.emits.filter((emit) => emit.seq === seq && emit.event === text).length > may.filter((e) => e === text).length
    )
      this.#fail('P3', room, `heard the EMIT ${text} at ${seq} twice`)
  }

  #fail(promise: 'P3' | 'P4', room: RoomId, what: string) {
    this.#timeline.fail(promise, room, `${this.#name} ${what}`, this.#at)
  }
}
