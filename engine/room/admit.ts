import { Refusal } from '../../protocol/errors.ts'
import {
  type CallFrame,
  type JoinFrame,
  type LeaveFrame,
  type MatchFrame,
  type MoveFrame,
  OP,
  PLAYER_ID,
  type PlayerId,
  type Role,
  type RoomId,
  type SessionId,
} from '../../protocol/frames.ts'
import type { Runner, Stamp } from '../rules/game.ts'
import { digest } from './digest.ts'
import type { Origin, RoomInput } from './input.ts'
import { freeSeats, isConnected, isOut, isPlayer, takesPlayers } from './membership.ts'
import type { RoomState } from './state.ts'
import { hasLater, lookUp } from './window.ts'

export interface Asker {
  readonly by: PlayerId
  readonly name: string
  readonly session: SessionId
}

/** Requests whose effect is logged in the room that they name (MATCH: in the room that was found for it). */
export type RoomRequest = JoinFrame | LeaveFrame | MoveFrame | CallFrame | MatchFrame

/** What a request comes to: an event to log, an answer that changes nothing, or a JOIN that changes nothing. */
export type Admission = { input: RoomInput } | { value: unknown } | { joins: Role }

export interface Setting {
  readonly runner: Runner
  readonly stamp: Stamp
  /** Whether this player watches the room on some connection. */
  watches(player: PlayerId): boolean
  /** The id of the room that `again` makes of this one. */
  nextRoom(): RoomId
}

/**
 * Decides what a request comes to in this state. Pure but for the payload's schema. Throws Refusal.
 * A request that was logged before gets its first answer and changes nothing.
 */
export const admit = (state: RoomState, frame: RoomRequest, asker: Asker, setting: Setting): Admission => {
  const origin = originOf(frame, asker)
  const before = lookUp(state.windows, origin.by, origin.session, origin.ref, origin.digest)
  if (before.known === true) return { value: before.value }
  if (before.known === 'conflict') throw new Refusal('conflict', before.why)
  if (state.kicked.includes(asker.by)) throw new Refusal('forbidden', 'The host removed you from this room.')
  switch (frame[0]) {
    case OP.join:
      return join(state, frame[3]?.role, asker, origin, setting)
    case OP.leave:
      if (isPlayer(state, asker.by) && !isOut(state, asker.by))
        return { input: { type: 'player.left', by: asker.by, origin, ...setting.stamp } }
      mustWatch(asker.by, setting)
      return { value: null }
    case OP.move:
      return move(state, frame, asker, origin, setting)
    case OP.call:
      return call(state, frame, asker, origin, setting)
    case OP.match:
      if (!isPlayer(state, asker.by)) mustHaveSeat(state, asker.by, setting)
      return { input: { type: 'seat.kept', origin, ...setting.stamp } }
  }
}

const originOf = (frame: RoomRequest, { by, session }: Asker): Origin => ({
  by,
  session,
  ref: frame[1],
  digest: digest(contentOf(frame)),
})

/** What makes two requests the same; a JOIN that is sent again may name a later `since`. */
const contentOf = (frame: RoomRequest): unknown[] =>
  frame[0] === OP.join ? [frame[0], frame[3]?.role ?? null] : [frame[0], frame[3] ?? null, frame[4] ?? null]

const LEAVE = digest([OP.leave, null, null])

const join = (state: RoomState, role: Role | undefined, asker: Asker, origin: Origin, setting: Setting): Admission => {
  const { by, name } = asker
  // It was long on its way, or is a copy of one that changed nothing, which is not logged.
  if (hasLater(state.windows, by, origin.session, origin.ref, LEAVE))
    throw new Refusal('conflict', 'You have left the room since. JOIN it anew.')
  if (isPlayer(state, by)) {
    if (isConnected(state, by)) return { joins: 'player' }
    return { input: { type: 'player.returned', by, ...setting.stamp } }
  }
  if (role === 'spectator') return { joins: 'spectator' }
  if (hasSeat(state, by, setting)) return { input: { type: 'player.joined', by, name, origin, ...setting.stamp } }
  if (role === 'player') mustHaveSeat(state, by, setting)
  return { joins: 'spectator' }
}

const hasSeat = (state: RoomState, by: PlayerId, { runner, stamp }: Setting): boolean =>
  takesPlayers(state, runner) && freeSeats(state, runner, by, stamp.at) > 0

const mustHaveSeat = (state: RoomState, by: PlayerId, setting: Setting): void => {
  if (!takesPlayers(state, setting.runner))
    throw new Refusal('room_full', 'The game has begun: join as a spectator to watch it.')
  if (!hasSeat(state, by, setting))
    throw new Refusal(
      'room_full',
      `All ${setting.runner.players[1]} seats are taken: join as a spectator, or try later.`,
    )
}

const mustWatch = (by: PlayerId, setting: Setting): void => {
  if (!setting.watches(by)) throw new Refusal('not_member', 'You are not in this room: JOIN it first.')
}

const move = (state: RoomState, frame: MoveFrame, asker: Asker, origin: Origin, setting: Setting): Admission => {
  if (!isPlayer(state, asker.by) || isOut(state, asker.by)) {
    mustWatch(asker.by, setting)
    throw new Refusal('forbidden', 'Spectators watch: only players make moves.')
  }
  const payload = setting.runner.parseMove(frame[3], frame[4] ?? null)
  return { input: { type: 'move', move: frame[3], payload, origin, ...setting.stamp } }
}

const call = (state: RoomState, frame: CallFrame, asker: Asker, origin: Origin, setting: Setting): Admission => {
  const method = frame[3]
  if (!isPlayer(state, asker.by) && state.host !== asker.by) mustWatch(asker.by, setting)
  switch (method) {
    case 'start':
      mustHost(state, asker, 'start the game')
      if (state.phase !== 'open') throw new Refusal('conflict', 'The game has started already.')
      if (state.players.length < setting.runner.players[0])
        throw new Refusal(
          'conflict',
          `Too few players: ${state.players.length} of at least ${setting.runner.players[0]}.`,
        )
      return { input: { type: 'room.started', origin, ...setting.stamp } }
    case 'again':
      if (!isPlayer(state, asker.by) && state.host !== asker.by)
        throw new Refusal('forbidden', 'Only those who played may play again.')
      if (state.phase !== 'over') throw new Refusal('conflict', 'The game is not over yet.')
      if (state.next !== null) return { value: { room: state.next } }
      return { input: { type: 'room.again', next: setting.nextRoom(), origin, ...setting.stamp } }
    case 'kick': {
      mustHost(state, asker, 'remove somebody')
      const player = kickedPlayer(frame[4])
      if (player === asker.by) throw new Refusal('conflict', 'You cannot remove yourself: LEAVE the room.')
      if (!isPlayer(state, player) && !setting.watches(player))
        throw new Refusal('not_found', `"${player}" is not in this room.`)
      return { input: { type: 'player.kicked', player, origin, ...setting.stamp } }
    }
    default:
      throw new Refusal('not_found', `There is no method "${method}" to call.`)
  }
}

const mustHost = (state: RoomState, asker: Asker, what: string): void => {
  if (state.host !== asker.by) throw new Refusal('forbidden', `Only the host may ${what}.`)
}

const kickedPlayer = (params: unknown): PlayerId => {
  const player = typeof params === 'object' && params !== null && 'player' in params ? params.player : undefined
  if (typeof player === 'string' && PLAYER_ID.test(player)) return player
  throw new Refusal('invalid_payload', 'kick takes {player: "<player id>"}.', [
    { path: ['player'], message: 'a player id is expected' },
  ])
}
