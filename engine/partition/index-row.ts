import type { IndexRow, RoomStatus } from '../log/log.ts'
import type { RoomState } from '../room/state.ts'
import type { LoadedGame } from '../rules/game.ts'

/** A room's row of the index. Pure. */
export const indexRow = (state: RoomState, game: LoadedGame, status: RoomStatus, due: number | null): IndexRow => ({
  room: state.room,
  game: state.game,
  rules: game.hash,
  status,
  due,
  public: state.public,
  phase: state.phase,
  players: state.players.length,
  seq: state.seq,
})
