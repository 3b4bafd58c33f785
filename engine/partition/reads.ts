import type { AnswerItem, Read } from '../../bus/messages.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { LiveRoom } from '../room/live.ts'
import type { Reading } from '../room/members.ts'
import { err, refusalOf } from './answers.ts'
import type { Lanes } from './lanes.ts'
import type { Rooms } from './rooms.ts'

export interface ReadPorts {
  readonly rooms: Rooms
  readonly lanes: Lanes
  readonly answer: (read: Read, answer: Omit<AnswerItem, 'epoch'>) => void
  /** For what nobody foresaw. */
  readonly failed: (what: string, error: unknown) => void
}

/**
 * Reads a room for a member over HTTP, in the room's turn. Late copies of what attaches are dropped; of a poll they do no harm
 * but to what is ephemeral. Never rejects.
 */
export const takeRead = async (read: Read, { rooms, lanes, answer, failed }: ReadPorts): Promise<void> => {
  const { gateway, id, room: roomId, attach } = read
  const conn = attach?.conn ?? null
  const isCopy = conn !== null && lanes.isNewest(read, conn)
  if (conn !== null && lanes.enter(read, conn) === null) return
  const give = (reading: Reading): void =>
    answer(read, { kind: 'answer', room: roomId, id, conn, done: true, ...reading })
  const refuse = (error: unknown): void => {
    // An earlier copy of this read may have attached it.
    if (conn !== null) rooms.detach(roomId, gateway, conn)
    const refusal = refusalOf(error)
    if (refusal.code === 'unavailable' && !(error instanceof Refusal)) failed('a read', error)
    give({ frames: [err(null, refusal)], attached: null })
  }
  const inTurn = (room: LiveRoom): void => {
    // Its connection has ended: nobody waits for this.
    if (conn !== null && !lanes.isNewest(read, conn)) return
    try {
      const reader = { player: read.player.id, session: read.session }
      give(room.read(reader, read.since, attach && { gateway, ...attach, isCopy }, read.presenceMs))
    } catch (error) {
      refuse(error)
    }
  }
  try {
    const room = await rooms.open(roomId)
    if (room === null) throw new Refusal('not_found', `There is no room "${roomId}".`)
    room.visit(() => inTurn(room), refuse)
  } catch (error) {
    refuse(error)
  }
}
