import type { Role, RoomId } from '../protocol/frames.ts'
import type { MadangError } from './error.ts'
import { Membership, type MembershipPort, type RoomFrame } from './membership.ts'
import type { Room } from './room.ts'

/** The rooms that a session is in or joins, one membership each. */
export class Memberships {
  readonly #port: Omit<MembershipPort, 'gone'>
  readonly #byRoom = new Map<RoomId, Membership>()

  constructor(port: Omit<MembershipPort, 'gone'>) {
    this.#port = port
  }

  /** Resolves once no LEAVE of this room is on its way. */
  async settled(room: RoomId): Promise<void> {
    await this.#byRoom.get(room)?.leaving?.catch(() => {})
  }

  /** The room once its document is there, the same one for all who ask. Rejects with MadangError. */
  join(room: RoomId, role: Role | undefined): Promise<Room> {
    const membership = this.#byRoom.get(room) ?? this.#add(room, role ?? null)
    return role === undefined ? membership.ready : membership.as(role)
  }

  /** What is not for a room of the session is dropped. */
  take(frame: RoomFrame, atHead: boolean): void {
    this.#byRoom.get(frame[1])?.take(frame, atHead)
  }

  /** This room must be joined again; null: all of them. */
  rejoin(room: RoomId | null): void {
    if (room !== null) this.#byRoom.get(room)?.rejoin()
    else for (const membership of [...this.#byRoom.values()]) membership.rejoin()
  }

  /** The session is over. */
  shut(error: MadangError): void {
    for (const membership of [...this.#byRoom.values()]) membership.shut('session closed', error)
  }

  #add(room: RoomId, role: Role | null): Membership {
    const gone = (): void => {
      if (this.#byRoom.get(room) === membership) this.#byRoom.delete(room)
    }
    const membership = new Membership(room, role, { ...this.#port, gone })
    this.#byRoom.set(room, membership)
    return membership
  }
}
