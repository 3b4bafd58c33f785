import { createHash } from 'node:crypto'
import type { MediaPolicy, MediaRow } from '../../bus/media-messages.ts'
import type { PlayerId } from '../../protocol/frames.ts'
import { isOut } from '../room/membership.ts'
import type { RoomState } from '../room/state.ts'
import type { Runner, Seen } from '../rules/game.ts'

/** Returns who sees and hears whom in this state, with every list written out. Pure; throws RulesError where the rules throw. */
export const policyOf = (state: RoomState, runner: Runner): MediaPolicy => {
  const players = playersIn(state)
  const row = (viewer: PlayerId | null): MediaRow => {
    const { see, hear } = state.rules === null ? lobby(runner) : runner.media(state.rules, viewer)
    return { see: named(see, players, viewer), hear: named(hear, players, viewer) }
  }
  return { players, viewers: Object.fromEntries(players.map((player) => [player, row(player)])), spectators: row(null) }
}

/** Returns the policy under which nobody sees or hears anybody. Pure. */
export const nothingOf = (state: RoomState): MediaPolicy => {
  const players = playersIn(state)
  return { players, viewers: Object.fromEntries(players.map((player) => [player, NOBODY])), spectators: NOBODY }
}

/** Whether two states of one room may have different policies. Pure. */
export const mayDiffer = (a: RoomState, b: RoomState): boolean =>
  a.rules !== b.rules || a.players !== b.players || a.gone !== b.gone

/** The same for the same policy, another for any other. Pure. */
export const hashOf = (policy: MediaPolicy): string =>
  createHash('sha256').update(JSON.stringify(policy)).digest('base64url')

const NOBODY: MediaRow = { see: [], hear: [] }

const playersIn = (state: RoomState): PlayerId[] => state.players.filter((player) => !isOut(state, player))

const lobby = ({ lobbyMedia }: Runner): { see: Seen; hear: Seen } => ({ see: lobbyMedia, hear: lobbyMedia })

const named = (seen: Seen, players: readonly PlayerId[], viewer: PlayerId | null): PlayerId[] => {
  if (seen === 'none') return []
  return players.filter((player) => player !== viewer && (seen === 'all' || seen.includes(player)))
}
