import type { AnswerItem, Command, GatewayId } from '../bus/messages.ts'
import type { Clock } from '../protocol/clock.ts'
import { readHead } from '../protocol/codec.ts'
import { OP, type Ref, type RoomId } from '../protocol/frames.ts'
import type { Connection, Who } from './connection.ts'
import { errFrame } from './connection.ts'
import { GIVE_UP_MS, NO_ANSWER, type Requests } from './requests.ts'

/** Of one Command: what fits, with its envelope, into a message of 1 MB. */
export const COMMAND_FRAMES = 64
const COMMAND_BYTES = 262_144
/** Of one connection, in all its lanes. */
export const QUEUE_FRAMES = 256
export const QUEUE_BYTES = 1_048_576

export interface QueuedFrame {
  bytes: Uint8Array
  /** Null where the client expects no answer. */
  ref: Ref | null
  joins: boolean
  /** Where its Command goes: the same for all frames of a room. */
  subject: string
}

export interface LaneEnd {
  gateway: GatewayId
  requests: Requests
  clock: Clock
  /** What an engine answered; the lane sends its next Command after it. */
  onAnswer: (connection: Connection, item: AnswerItem) => void
}

/**
 * The frames of one connection to one room, in order: one Command in flight, and what arrives meanwhile goes in the next.
 * Engines take an older request of the same connection and room for a late copy, so an Attach waits for the lane, and the lane for it.
 * A lane lives in its connection from its first frame until it is empty. MATCH has one too, with an empty room.
 */
export class Lane {
  readonly #end: LaneEnd
  readonly #connection: Connection
  readonly #who: Who
  readonly #room: RoomId
  #waiting: QueuedFrame[] = []
  #flight: { id: number; frames: QueuedFrame[]; answered: Set<Ref> } | null = null
  #scheduled = false
  /** Ends the wait for an Attach. */
  #cancelWait: (() => void) | null = null

  constructor(end: LaneEnd, connection: Connection, who: Who, room: RoomId) {
    this.#end = end
    this.#connection = connection
    this.#who = who
    this.#room = room
  }

  get isInFlight(): boolean {
    return this.#flight !== null
  }

  /** Queues a frame; false where this connection has too much waiting. */
  push(frame: QueuedFrame): boolean {
    const connection = this.#connection
    if (connection.queuedFrames >= QUEUE_FRAMES || connection.queuedBytes + frame.bytes.length > QUEUE_BYTES)
      return false
    connection.queuedFrames += 1
    connection.queuedBytes += frame.bytes.length
    this.#waiting.push(frame)
    if (!this.#flight && !this.#scheduled) {
      this.#scheduled = true
      this.#end.clock.soon(() => {
        this.#scheduled = false
        this.#depart()
      })
    }
    return true
  }

  /** Forgets everything: the connection has ended. */
  close() {
    this.#cancelWait?.()
    if (this.#flight) this.#end.requests.drop(this.#flight.id)
    this.#flight = null
    this.#waiting = []
  }

  /** The Attach that this lane may have waited for is answered. */
  resume() {
    this.#cancelWait?.()
    this.#cancelWait = null
    this.#depart()
  }

  #depart() {
    if (this.#flight || this.#connection.isClosed) return
    const subject = this.#waiting[0]?.subject
    if (subject === undefined) {
      this.#connection.lanes.delete(this.#room)
      return
    }
    if (this.#connection.memberships.get(this.#room)?.standing.is === 'attaching') {
      this.#cancelWait ??= this.#end.clock.after(GIVE_UP_MS, () => this.#giveUp())
      return
    }
    const frames = this.#take(subject)
    if (frames.some(({ joins }) => joins)) this.#connection.joined.set(this.#room, true)
    const command: Omit<Command, 'id'> = {
      kind: 'command',
      gateway: this.#end.gateway,
      room: this.#room,
      conn: this.#connection.id,
      player: this.#who.player,
      session: this.#who.session,
      frames: frames.map(({ bytes }) => bytes),
    }
    const id = this.#end.requests.open({
      subject,
      message: (id) => ({ ...command, id }),
      onReply: (reply) => reply.kind === 'answer' && this.#answered(reply),
      onGiveUp: () => this.#giveUp(),
      giveUpMs: GIVE_UP_MS,
    })
    this.#flight = { id, frames, answered: new Set() }
  }

  #take(subject: string): QueuedFrame[] {
    let count = 0
    let bytes = 0
    for (const frame of this.#waiting) {
      bytes += frame.bytes.length
      if (frame.subject !== subject) break
      if (count > 0 && (count === COMMAND_FRAMES || bytes > COMMAND_BYTES)) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  #answered(item: AnswerItem): boolean {
    const flight = this.#flight
    if (!flight || item.conn !== this.#connection.id) return false
    if (!item.done) {
      for (const frame of item.frames) {
        const { op, ref } = readHead(frame)
        if ((op === OP.ok || op === OP.err) && ref !== null) flight.answered.add(ref)
      }
    } else {
      this.#flight = null
      this.#release(flight.frames)
    }
    this.#end.onAnswer(this.#connection, item)
    if (item.done) this.#depart()
    return item.done
  }

  /** Ends what is in flight and what waits behind it: its order would be lost, and the client knows best what to send again. */
  #giveUp() {
    const flight = this.#flight
    const waiting = this.#waiting
    this.#cancelWait = null
    this.#flight = null
    this.#waiting = []
    const frames = [...(flight?.frames ?? []), ...waiting]
    this.#release(frames)
    this.#connection.lanes.delete(this.#room)
    const refs = frames.flatMap(({ ref }) => (ref === null || flight?.answered.has(ref) ? [] : [ref]))
    this.#connection.send(refs.map((ref) => errFrame(ref, 'unavailable', NO_ANSWER)))
  }

  #release(frames: QueuedFrame[]) {
    this.#connection.queuedFrames -= frames.length
    for (const { bytes } of frames) this.#connection.queuedBytes -= bytes.length
  }
}
