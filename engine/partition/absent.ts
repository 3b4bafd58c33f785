import type { ConnId, GatewayId } from '../../bus/messages.ts'
import type { RoomId } from '../../protocol/frames.ts'
import type { Attachment } from '../room/attachments.ts'

interface Absent {
  readonly game: string
  /** Those that were there before it was read again. */
  connections: readonly Attachment[]
}

/** Rooms that are live but not in memory, because they are being read; and the connections that wait for them. */
export class AbsentRooms {
  readonly #rooms = new Map<RoomId, Absent>()

  /** The room is being read, and these connections wait for it; by default those that waited for it before. */
  set(room: RoomId, game: string, connections = this.#rooms.get(room)?.connections ?? []): void {
    this.#rooms.set(room, { game, connections })
  }

  /** Whether one of them is of this game. */
  includes(game: string): boolean {
    return [...this.#rooms.values()].some((absent) => absent.game === game)
  }

  /** It has come, or never will: returns the connections that waited for it. */
  delete(room: RoomId): readonly Attachment[] {
    const connections = this.#rooms.get(room)?.connections ?? []
    this.#rooms.delete(room)
    return connections
  }

  forget(which: (room: RoomId) => boolean): void {
    for (const room of [...this.#rooms.keys()]) if (which(room)) this.#rooms.delete(room)
  }

  detach(room: RoomId, gateway: GatewayId, conn: ConnId): void {
    const absent = this.#rooms.get(room)
    if (absent) absent.connections = absent.connections.filter((a) => a.gateway !== gateway || a.conn !== conn)
  }

  detachAll(gateway: GatewayId): void {
    for (const absent of this.#rooms.values())
      absent.connections = absent.connections.filter((a) => a.gateway !== gateway)
  }
}
