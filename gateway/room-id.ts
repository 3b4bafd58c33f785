import { deriveId } from '../bus/derive.ts'
import type { PlayerId, Ref, RoomId, SessionId } from '../protocol/frames.ts'

/** The id of the room that this CREATE makes: the same for each retry, at every gateway with the same cluster key. Pure. */
export const createdRoom = (clusterKey: Uint8Array, player: PlayerId, session: SessionId, ref: Ref): RoomId =>
  deriveId(clusterKey, 'room', player, session, ref)

/** The session that stands for an Idempotency-Key of this player. Pure. */
export const idempotentSession = (clusterKey: Uint8Array, player: PlayerId, key: string): SessionId =>
  deriveId(clusterKey, 'idempotency', player, key)
