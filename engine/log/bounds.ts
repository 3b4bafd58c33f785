import { PLAYER_ID, type PlayerId, ROOM_ID, type RoomId } from '../../protocol/frames.ts'
import { type IndexRow, NotStored, type Position } from './log.ts'

/** NATS refuses messages over 1 MiB with their headers; the other logs keep to the same, so that a room can move between them. */
export const MAX_RECORD_BYTES = 1_000_000

const whole = (n: number) => Number.isSafeInteger(n) && n >= 0

/** Throws RangeError where this is no room id. */
export const checkRoom = (room: RoomId): void => {
  if (!ROOM_ID.test(room)) throw new RangeError(`not a room id: ${JSON.stringify(room)}`)
}

/** Throws RangeError where this is no player id. */
export const checkPlayer = (player: PlayerId): void => {
  if (!PLAYER_ID.test(player)) throw new RangeError(`not a player id: ${JSON.stringify(player)}`)
}

/** Throws RangeError where the cursor or the limit of a page makes no sense. */
export const checkPage = (after: Position | RoomId | '', limit: number): void => {
  if (typeof after === 'number' && !whole(after)) throw new RangeError(`not a position: ${after}`)
  if (!whole(limit) || limit === 0) throw new RangeError(`a page holds at least 1, not ${limit}`)
}

/** Throws RangeError for arguments that no append can have, NotStored for a record over MAX_RECORD_BYTES. */
export const checkAppend = (room: RoomId, after: Position, record: Uint8Array, index?: IndexRow): void => {
  checkRoom(room)
  if (!whole(after)) throw new RangeError(`not a position: ${after}`)
  if (index !== undefined && index.room !== room) throw new RangeError(`index row of ${index.room} with room ${room}`)
  if (record.byteLength === 0) throw new RangeError('a record holds at least one byte')
  if (record.byteLength > MAX_RECORD_BYTES) {
    throw new NotStored(`record of ${record.byteLength} bytes in room ${room}: the most is ${MAX_RECORD_BYTES}`)
  }
}
