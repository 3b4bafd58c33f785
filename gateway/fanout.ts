import type { AnswerItem, CloseItem, EngineId, OutputItem, OutputPart } from '../bus/messages.ts'
import type { Clock } from '../protocol/clock.ts'
import { encode } from '../protocol/codec.ts'
import { CLOSE } from '../protocol/errors.ts'
import { OP, type RoomId } from '../protocol/frames.ts'
import { type Connection, SOFT_LIMIT_BYTES } from './connection.ts'
import type { GatewayCounters } from './counters.ts'
import {
  type Attaching,
  heardBy,
  joinAudience,
  leaveAudience,
  type Membership,
  type RoomHere,
  type RoomsHere,
} from './membership.ts'
import type { Reattach } from './reattach.ts'
import type { Publish } from './socket.ts'

/** A spectator that falls behind twice within this is too slow. */
const BEHIND_AGAIN_MS = 30_000
/** A spectator has caught up with its socket when no more than this is buffered. */
const DRAINED_BYTES = 16_384

const NONE: readonly Uint8Array[] = []

/**
 * What engines send, on its way to sockets: frames are gathered per connection and leave when the envelope has been read.
 * A document goes only to a connection that stands where it begins; one that does not is attached again.
 */
export class Fanout {
  readonly #rooms: RoomsHere
  readonly #clock: Clock
  readonly #counters: GatewayCounters
  readonly #publish: Publish
  readonly #reattach: () => Reattach
  /** Lists may be shared: none is written to. */
  #outbox = new Map<Connection, readonly Uint8Array[]>()
  /** Whose envelope is being read. */
  #engine: EngineId = ''

  constructor(rooms: RoomsHere, clock: Clock, counters: GatewayCounters, publish: Publish, reattach: () => Reattach) {
    this.#rooms = rooms
    this.#clock = clock
    this.#counters = counters
    this.#publish = publish
    this.#reattach = reattach
  }

  begin(engine: EngineId) {
    this.#engine = engine
  }

  /** Sends what was gathered. */
  flush() {
    if (this.#outbox.size === 0) return
    const outbox = this.#outbox
    this.#outbox = new Map()
    outbox.forEach((frames, connection) => {
      connection.send(frames)
    })
  }

  /** The answer to a client's frames. */
  answer(connection: Connection, item: AnswerItem) {
    const membership = connection.memberships.get(item.room)
    if (item.done && !membership && !item.attached) connection.joined.delete(item.room)
    if (item.attached === undefined) {
      if (membership?.standing.is === 'attaching') membership.standing.held.push(...item.frames)
      else this.#gather(connection, item.frames)
      return
    }
    const held = membership?.standing.is === 'attaching' ? membership.standing.held : []
    this.#gather(connection, item.frames)
    this.#gather(connection, held)
    if (item.attached) this.#place(connection, item.room, item.attached)
    else this.#forget(connection, item.room)
  }

  /** The answer to an Attach: the member goes on from it, then gets what waited for it. */
  attached(membership: Membership, { seq, heard, held }: Attaching, item: AnswerItem) {
    const { connection, room } = membership
    const attached = item.attached === undefined ? { role: membership.role, seq, heard } : item.attached
    this.#gather(connection, item.frames)
    this.#gather(connection, held)
    if (attached) this.#place(connection, room.id, attached)
    else this.#forget(connection, room.id)
    connection.lanes.get(room.id)?.resume()
  }

  output(item: OutputItem) {
    const room = this.#rooms.get(item.room)
    if (!room) return
    for (const part of item.parts) {
      if (part.to === 'spectators') this.#toAudience(room, part, item.head)
      else {
        const document = part.document === null ? NONE : [part.document.frame]
        for (const conn of part.to) this.#toMember(room.members.get(conn), part, document, item.head)
      }
    }
    room.audience.heard = Math.max(room.audience.heard, item.head)
    room.heard = Math.max(room.heard, item.head)
  }

  close(item: CloseItem, connection: Connection | undefined) {
    if (!connection) return
    this.flush()
    if (item.code !== null) {
      connection.end(item.code, item.reason)
      return
    }
    const standing = connection.memberships.get(item.room)?.standing
    const held = standing?.is === 'attaching' ? standing.held : []
    connection.send([encode([OP.note, item.room, item.reason, null]), ...held])
    this.#forget(connection, item.room)
  }

  /** A published message did not fit: which one is not known, so the spectator starts anew from a STATE once it has drained. */
  fellBehind(membership: Membership) {
    if (membership.standing.is !== 'audience') return
    const now = this.#clock.now()
    const again = membership.behindAt > 0 && now - membership.behindAt <= BEHIND_AGAIN_MS
    leaveAudience(membership)
    membership.standing = { is: 'behind' }
    membership.behindAt = now
    if (again) membership.connection.end(CLOSE.tooSlow, 'too slow')
  }

  /** Nothing may be sent to this connection until it has drained, and then nothing but a STATE will do. */
  blocked(connection: Connection) {
    for (const membership of connection.memberships.values()) {
      leaveAudience(membership)
      membership.standing = { is: 'behind' }
    }
  }

  drained(connection: Connection) {
    if (connection.socket.bufferedAmount() > DRAINED_BYTES) return
    for (const membership of connection.memberships.values())
      if (membership.standing.is === 'behind')
        this.#reattach().add(membership, {
          seq: 0,
          heard: membership.role === 'spectator' ? membership.room.audience.heard : membership.room.heard,
        })
  }

  /** Takes spectators whose sockets are filling up out of their audience, before the socket drops anything; to be called a few times a second. */
  watch() {
    for (const room of this.#rooms.all())
      for (const membership of room.audience.members)
        if (membership.connection.socket.bufferedAmount() > SOFT_LIMIT_BYTES) this.fellBehind(membership)
  }

  #toMember(membership: Membership | undefined, part: OutputPart, frames: readonly Uint8Array[], head: number) {
    if (!membership) return
    const { connection, standing, room } = membership
    const { document, emits } = part
    if (standing.is === 'audience') {
      // A document for this spectator alone takes it out of step: let the engine say where it stands.
      if (document) return this.#reattach().add(membership)
      if (head > room.audience.heard) this.#gather(connection, emits)
      return this.#ephemeral(connection, part.ephemeral)
    }
    if (standing.is !== 'alone') return
    if (document && document.seq > standing.seq) {
      if (document.from !== null && document.from !== standing.seq) return this.#reattach().add(membership)
      this.#gather(connection, frames)
      standing.seq = document.seq
    }
    if (head > heardBy(membership, standing)) this.#gather(connection, emits)
    this.#ephemeral(connection, part.ephemeral)
  }

  #toAudience(room: RoomHere, part: OutputPart, head: number) {
    const { audience } = room
    if (audience.members.size === 0) return
    const frames: Uint8Array[] = []
    const { document } = part
    if (document && document.seq > audience.seq) {
      if (document.from !== null && document.from !== audience.seq) {
        for (const membership of [...audience.members]) this.#reattach().add(membership)
        return
      }
      frames.push(document.frame)
      audience.seq = document.seq
    }
    if (head > audience.heard) frames.push(...part.emits)
    const [first] = audience.members
    if (first && audience.members.size === 1) {
      this.#gather(first.connection, frames)
      this.#ephemeral(first.connection, part.ephemeral)
      return
    }
    frames.push(...part.ephemeral)
    if (frames.length === 0) return
    // What was gathered for these sockets went before.
    this.flush()
    for (const frame of frames) {
      this.#publish(room.id, frame)
      this.#counters.framesOut += audience.members.size
      this.#counters.bytesOut += audience.members.size * frame.length
    }
  }

  #place(connection: Connection, id: RoomId, at: NonNullable<AnswerItem['attached']>) {
    if (connection.isClosed) return
    const membership = this.#rooms.enter(connection, id, at.role, this.#engine)
    const { room } = membership
    leaveAudience(membership)
    membership.ref = at.ref ?? membership.ref
    room.engine = this.#engine
    // The string that all members share, in place of the one that came with the JOIN.
    connection.joined.set(room.id, true)
    membership.standing = { is: 'alone', seq: at.seq, heard: at.heard }
    if (at.role !== 'spectator') return
    const { audience } = room
    if (audience.members.size > 0 && audience.seq > at.seq) return this.#reattach().add(membership)
    if (audience.seq < at.seq) for (const other of [...audience.members]) this.#reattach().add(other)
    if (audience.members.size === 0) audience.heard = at.heard
    audience.seq = at.seq
    audience.heard = Math.max(audience.heard, at.heard)
    joinAudience(membership)
  }

  #forget(connection: Connection, room: RoomId) {
    const membership = connection.memberships.get(room)
    // The Attach on its way may still find the player in the room again: then the engine must hear of this connection's end.
    if (membership?.standing.is !== 'attaching') connection.joined.delete(room)
    if (membership) this.#rooms.leave(membership)
    if (connection.socket.response?.room !== room) return
    this.flush()
    connection.end(CLOSE.policy, 'out of the room')
  }

  #ephemeral(connection: Connection, frames: Uint8Array[]) {
    if (frames.length === 0) return
    this.flush()
    connection.sendEphemeral(frames)
  }

  #gather(connection: Connection, frames: readonly Uint8Array[]) {
    if (frames.length === 0) return
    const gathered = this.#outbox.get(connection)
    this.#outbox.set(connection, gathered ? [...gathered, ...frames] : frames)
  }
}
