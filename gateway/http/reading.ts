import { Refusal } from '../../protocol/errors.ts'
import { ROOM_ID, type RoomId, type Seq } from '../../protocol/frames.ts'
import type { HttpRequest } from './reply.ts'

/** How long a request counts as presence beyond its wait, ms. */
export const PRESENCE_MS = 10_000

/** Returns the room that a request reads. Pure. Throws Refusal where none is named. */
export const roomOf = ({ query }: HttpRequest): RoomId => {
  const room = query.get('room')
  if (room !== null && ROOM_ID.test(room)) return room
  throw new Refusal('bad_frame', 'room: 1 to 64 of A-Z a-z 0-9 _ - were expected')
}

/** Returns the number that `text` is, from 0 on; 0 where there is none. Pure. Throws Refusal where it is something else. */
export const seqOf = (text: string | null | undefined, name: string): Seq => {
  if (text === null || text === undefined) return 0
  const seq = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(seq)) return seq
  throw new Refusal('bad_frame', `${name}: a seq was expected, a whole number from 0 on`)
}
