import type { PlayerId } from '../../protocol/frames.ts'
import type { Runner } from '../rules/game.ts'
import type { RoomState } from './state.ts'

// Who is in the room, and who is host. Pure functions from state to state.

export const isPlayer = (state: RoomState, player: PlayerId): boolean => Object.hasOwn(state.members, player)

/** Whether this player is out of the room for now: left, or removed by the host. */
export const isOut = (state: RoomState, player: PlayerId): boolean =>
  state.gone.includes(player) || state.kicked.includes(player)

export const isConnected = (state: RoomState, player: PlayerId): boolean =>
  isPlayer(state, player) && state.members[player]?.connected === true

/** Seats that `player` could take at `at`: those neither taken nor kept for somebody else. */
export const freeSeats = (state: RoomState, runner: Runner, player: PlayerId, at: number): number =>
  runner.players[1] - state.players.length - state.kept.filter((k) => k.until > at && k.player !== player).length

/** Whether new players may come in this phase. */
export const takesPlayers = (state: RoomState, runner: Runner): boolean =>
  state.phase === 'open' || (state.phase === 'playing' && runner.dropIn)

/** Whether the room starts by itself now. */
export const startsNow = (state: RoomState, runner: Runner): boolean =>
  state.phase === 'open' && (runner.dropIn || (runner.autoStart && state.players.length === runner.players[1]))

export const joined = (state: RoomState, player: PlayerId, name: string): RoomState =>
  welcomeHost(
    {
      ...state,
      players: [...state.players, player],
      members: { ...state.members, [player]: { name, connected: true } },
      kept: state.kept.filter((k) => k.player !== player),
    },
    player,
  )

export const connected = (state: RoomState, player: PlayerId): RoomState =>
  welcomeHost({ ...present(state, player, true), gone: state.gone.filter((p) => p !== player) }, player)

export const dropped = (state: RoomState, player: PlayerId): RoomState =>
  passHost(present(state, player, false), player)

/** While the room is open the seat is free again; later the player stays, not connected. */
export const left = (state: RoomState, player: PlayerId): RoomState => {
  if (state.phase !== 'open')
    return { ...dropped(state, player), gone: [...state.gone.filter((p) => p !== player), player] }
  const { [player]: _gone, ...members } = state.members
  return passHost({ ...state, players: state.players.filter((p) => p !== player), members }, player)
}

const present = (state: RoomState, player: PlayerId, here: boolean): RoomState => {
  const member = state.members[player]
  return member === undefined
    ? state
    : { ...state, members: { ...state.members, [player]: { ...member, connected: here } } }
}

/** A host who played and went away hands over to the earliest joined player who is connected. */
const passHost = (state: RoomState, gone: PlayerId): RoomState => {
  if (state.host !== gone) return state
  const heir = state.players.find((p) => p !== gone && isConnected(state, p))
  return heir === undefined ? { ...state, hostAway: true } : { ...state, host: heir, hostAway: false }
}

const welcomeHost = (state: RoomState, player: PlayerId): RoomState =>
  state.hostAway ? { ...state, host: player, hostAway: false } : state
