import type { AnswerItem, Attach, Detach } from '../../bus/messages.ts'
import { Refusal } from '../../protocol/errors.ts'
import { type Attachment, departureNote } from '../room/attachments.ts'
import type { LiveRoom } from '../room/live.ts'
import { isPlayer } from '../room/membership.ts'
import { RulesError } from '../rules/game.ts'
import type { FrameAnswer } from './answers.ts'
import type { Lanes } from './lanes.ts'
import type { Rooms } from './rooms.ts'

export interface ConnectionPorts {
  readonly rooms: Rooms
  readonly lanes: Lanes
  readonly answer: (request: Attach | Detach, answer: Omit<AnswerItem, 'epoch'>) => void
}

const OUT: FrameAnswer = { frames: [], attached: null }

/** Brings connections back whose stream had a hole, or whose engine was another one. */
export const attachAgain = async (request: Attach, { rooms, lanes, answer }: ConnectionPorts): Promise<void> => {
  const members = request.members.filter(({ conn }) => lanes.enter(request, conn) !== null)
  if (members.length === 0) return
  const room = await rooms.get(request.room).catch((error) => {
    if (error instanceof Refusal) return undefined
    throw error
  })
  // Frozen, or stopping: no answer, and the gateway asks again.
  if (room === undefined) return
  const answerAll = (): void => {
    for (const [i, member] of members.entries()) {
      const isOut = room === null || !lanes.isNewest(request, member.conn)
      const { frames, attached = null } = isOut ? OUT : reattach(request, member, room)
      const done = i === members.length - 1
      answer(request, { kind: 'answer', room: request.room, id: request.id, conn: member.conn, frames, attached, done })
    }
  }
  if (room === null) answerAll()
  else room.visit(answerAll)
}

const reattach = ({ gateway }: Attach, member: Attach['members'][number], room: LiveRoom): FrameAnswer => {
  const { state } = room
  const { conn, player, session, role: was, since, heard, ref, as = 'socket' } = member
  const role = isPlayer(state, player.id) ? 'player' : 'spectator'
  if (state.kicked.includes(player.id)) return { frames: [departureNote(state.room, 'kicked')], attached: null }
  if (state.gone.includes(player.id) || (was === 'player' && role !== 'player'))
    return { frames: [departureNote(state.room, 'left')], attached: null }
  try {
    const held = was === role ? since : null
    const attachment: Attachment = { gateway, conn, player: player.id, session, role, ref, as }
    const { frames, seq } = room.attach(attachment, held, heard)
    return { frames, attached: { role, seq, heard: state.seq } }
  } catch (error) {
    if (error instanceof RulesError) return OUT
    throw error
  }
}

export const detach = (request: Detach, { rooms, lanes, answer }: ConnectionPorts): void => {
  const { gateway, id, room, conns } = request
  for (const conn of conns) if (lanes.enter(request, conn) !== null) rooms.detach(room, gateway, conn)
  answer(request, { kind: 'answer', room, id, conn: conns[0] ?? null, frames: [], done: true })
}
