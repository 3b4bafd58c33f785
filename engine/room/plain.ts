import type { PlainRulesState, Runner } from '../rules/game.ts'
import type { RoomState } from './state.ts'

/** A room's state as plain data, as snapshots and migrations hold it. */
export type PlainRoomState = Omit<RoomState, 'rules'> & { readonly rules: PlainRulesState | null }

/** Throws RulesError where the rules' state is not plain data. Pure. */
export const plainState = (state: RoomState, runner: Runner): PlainRoomState => ({
  ...state,
  rules: state.rules === null ? null : runner.toPlain(state.rules),
})

export const thawState = (plain: unknown, runner: Runner): RoomState => {
  const state = plain as PlainRoomState
  return { ...state, rules: state.rules === null ? null : runner.fromPlain(state.rules) }
}
