import { commandSubject, matchPartition, partitionOf } from '../bus/subjects.ts'
import type { Head } from '../protocol/codec.ts'
import { OP, type RoomId } from '../protocol/frames.ts'
import type { Who } from './connection.ts'
import { createdRoom } from './room-id.ts'

/** Returns the room that a frame goes to, '' for MATCH, and the subject of its owner. Pure. */
export const routeOf = (
  { op, ref, room, game }: Head,
  { player, session }: Who,
  clusterKey: Uint8Array,
): { room: RoomId; subject: string } => {
  if (op === OP.match) return { room: '', subject: commandSubject(matchPartition(game ?? '')) }
  const id = room ?? createdRoom(clusterKey, player.id, session, ref ?? 0)
  return { room: id, subject: commandSubject(partitionOf(id)) }
}
