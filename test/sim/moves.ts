import type { RoomDocument } from '../../client/client.ts'
import type { PlayerId } from '../../protocol/frames.ts'
import type { Dice } from './dice.ts'
import { fieldsOf, strings } from './fields.ts'

export interface Move {
  readonly type: string
  readonly payload: unknown
}

/** Of moves that the rules or the schema refuse. */
const MISTAKES = 0.1

/** Whether the game says that it is decided. Pure. */
export const isOver = ({ game }: RoomDocument): boolean => {
  const { winner = null } = fieldsOf(game)
  return winner !== null
}

/** A move that this player may try, sometimes one that is a mistake; null where there is nothing to do. */
export const chooseMove = ({ room, game }: RoomDocument, me: PlayerId, dice: Dice): Move | null => {
  const fields = fieldsOf(game)
  const mistaken = dice.may(MISTAKES)
  if (mistaken && dice.may(0.3)) return { type: 'mark', payload: { cell: 'none' } }
  switch (room.game) {
    case 'tictactoe': {
      const cells: unknown[] = Array.isArray(fields.cells) ? fields.cells : []
      const free = cells.flatMap((owner, cell) => ((owner === null) !== mistaken ? [cell] : []))
      if (free.length === 0 || (fields.turn !== me && !mistaken)) return null
      return { type: 'mark', payload: { cell: dice.pick(free) } }
    }
    case 'mafia': {
      const alive = strings(fields.alive)
      const mayVote = mistaken || (alive.includes(me) && (fields.phase === 'day' || Array.isArray(fields.mafia)))
      if (!mayVote || alive.length === 0) return null
      return { type: 'vote', payload: { target: dice.pick(alive) } }
    }
    default:
      return { type: 'set', payload: { cell: dice.between(0, mistaken ? 70 : 63), value: dice.between(0, 1_000) } }
  }
}
