import type { EngineId } from '../bus/messages.ts'
import { partitionOf } from '../bus/subjects.ts'
import type { Ref, Role, RoomId, Seq } from '../protocol/frames.ts'
import type { Connection } from './connection.ts'

export interface Position {
  /** Of the last STATE or PATCH that was sent. */
  seq: Seq
  /** EMITs up to this seq were sent. */
  heard: Seq
}

export type Standing =
  /** Gets what is sent to its connection. */
  | ({ is: 'alone' } & Position)
  /** A spectator in step with the room's audience, and standing where that stands. */
  | { is: 'audience' }
  /** Missed something: an Attach goes on from here, and until its answer nothing of the room may be sent. */
  | Attaching
  /** A spectator whose socket is full: is attached once it has drained. */
  | { is: 'behind' }

/** `held`: what the Command in flight was answered meanwhile; it must not go before the document that it speaks of. */
export interface Attaching extends Position {
  is: 'attaching'
  held: Uint8Array[]
}

/** One connection in one room. */
export interface Membership {
  readonly room: RoomHere
  readonly connection: Connection
  role: Role
  /** Of the JOIN that brought it here, as its engine said. */
  ref: Ref | null
  standing: Standing
  /** When it fell behind last, ms; 0: never. */
  behindAt: number
}

/** The part of a room that is at this gateway. */
export interface RoomHere {
  readonly id: RoomId
  readonly partition: number
  engine: EngineId
  readonly members: Map<number, Membership>
  /** EMITs up to this seq went to all who stand alone here, whatever their own standing says. */
  heard: Seq
  /** Spectators that all stand at the same place and get the same bytes, through the topic of the room's id. */
  readonly audience: Position & { members: Set<Membership> }
}

/** The rooms that have a member at this gateway. A room is here from its first member to its last. */
export class RoomsHere {
  readonly #rooms = new Map<RoomId, RoomHere>()
  readonly #byPartition = new Map<number, Set<RoomHere>>()

  get size(): number {
    return this.#rooms.size
  }

  get(room: RoomId): RoomHere | undefined {
    return this.#rooms.get(room)
  }

  all(): IterableIterator<RoomHere> {
    return this.#rooms.values()
  }

  /** Those of one partition. */
  of(partition: number): Iterable<RoomHere> {
    return this.#byPartition.get(partition) ?? []
  }

  /** The membership of this connection, made where there is none. */
  enter(connection: Connection, id: RoomId, role: Role, engine: EngineId): Membership {
    const room = this.#rooms.get(id) ?? this.#begin(id, engine)
    const present = room.members.get(connection.id)
    if (present) {
      if (present.role !== role) leaveAudience(present)
      present.role = role
      return present
    }
    const standing: Standing = { is: 'alone', seq: 0, heard: 0 }
    const membership: Membership = { room, connection, role, ref: null, standing, behindAt: 0 }
    room.members.set(connection.id, membership)
    connection.memberships.set(room.id, membership)
    return membership
  }

  leave(membership: Membership): void {
    const { room, connection } = membership
    leaveAudience(membership)
    room.members.delete(connection.id)
    connection.memberships.delete(room.id)
    if (room.members.size === 0) this.#end(room)
  }

  #begin(id: RoomId, engine: EngineId): RoomHere {
    const audience = { seq: 0, heard: 0, members: new Set<Membership>() }
    const room: RoomHere = { id, partition: partitionOf(id), engine, members: new Map(), heard: 0, audience }
    this.#rooms.set(id, room)
    const others = this.#byPartition.get(room.partition) ?? new Set()
    this.#byPartition.set(room.partition, others.add(room))
    return room
  }

  #end(room: RoomHere): void {
    this.#rooms.delete(room.id)
    const others = this.#byPartition.get(room.partition)
    others?.delete(room)
    if (others?.size === 0) this.#byPartition.delete(room.partition)
  }
}

/** Up to where the EMITs of its room were sent to a member that stands alone. */
export const heardBy = ({ room }: Membership, { heard }: Position): Seq => Math.max(heard, room.heard)

/** The same for all of them: nearly every spectator stands so. */
const IN_AUDIENCE: Standing = { is: 'audience' }

export const joinAudience = (membership: Membership): void => {
  membership.standing = IN_AUDIENCE
  membership.room.audience.members.add(membership)
  membership.connection.socket.subscribe(membership.room.id)
}

/** Takes a spectator out of step; it stands where the audience stood. Nothing where it is not in it. */
export const leaveAudience = (membership: Membership): void => {
  if (membership.standing.is !== 'audience') return
  const { audience, id } = membership.room
  membership.standing = { is: 'alone', seq: audience.seq, heard: audience.heard }
  audience.members.delete(membership)
  membership.connection.socket.unsubscribe(id)
}
