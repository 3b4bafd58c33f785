import { Refusal } from '../../protocol/errors.ts'
import type { GameEvent, PlayerId, Seq } from '../../protocol/frames.ts'
import { RulesError, type RulesEvent, type RulesState, type Runner, type Stepped, type Text } from '../rules/game.ts'
import type { InputOf, Origin, RoomInput } from './input.ts'
import { connected, dropped, isPlayer, joined, left, startsNow } from './membership.ts'
import { thawState } from './plain.ts'
import { type RoomState, SEAT_KEPT_MS } from './state.ts'
import { prune, remember, type Windows } from './window.ts'

/** A one-off effect of the rules, for everyone or only for some players. */
export interface Emit {
  readonly seq: Seq
  readonly event: GameEvent
  readonly to: readonly PlayerId[] | null
}

export interface Outcome {
  readonly state: RoomState
  readonly emits: readonly Emit[]
  /** The OK value of the request that this input came from; undefined where there is none. */
  readonly value: unknown
  /** A throw of the rules on a room event: the event stands, the rules did not see it. */
  readonly trouble: RulesError | null
}

/**
 * The state after one more event, with its effects. Pure: a replay of the log gives the same.
 * Throws Refusal where the rules do not take a move, RulesError where they throw on a move, a deadline or the start:
 * such an input is never logged. `state` is null for the first input of a
 * replay only: `room.created`, or `room.migrated`, which holds all that came before.
 */
export const step = (state: RoomState | null, input: RoomInput, runner: Runner): Outcome => {
  if (input.type === 'room.created') return settle(created(input), input, runner, null)
  if (input.type === 'room.migrated')
    return settle({ ...thawState(input.state, runner), version: input.version }, input, runner, null)
  if (state === null) throw new Error(`a room's log begins with room.created, not ${input.type}`)
  switch (input.type) {
    case 'seat.kept': {
      const seat = { player: input.origin.by, until: input.at + SEAT_KEPT_MS }
      const kept = [...state.kept.filter((k) => k.until > input.at && k.player !== seat.player), seat]
      return settle({ ...state, kept }, input, runner, input.origin, { room: state.room })
    }
    case 'player.joined': {
      const next = joined(state, input.by, input.name)
      const told = state.phase === 'playing' ? tell(next, input, input.by, runner) : { state: next }
      const seq = state.seq + (startsNow(next, runner) && input.startFailed !== true ? 2 : 1)
      return settle(told.state, input, runner, input.origin, { room: state.room, role: 'player', seq }, told)
    }
    case 'room.started': {
      const started = runner.start({ players: state.players, options: state.options, at: input.at, seed: input.seed })
      const begun: RoomState = { ...state, phase: 'playing', kept: [] }
      return settle(begun, input, runner, input.origin, undefined, { stepped: started })
    }
    case 'move': {
      const stepped = takeMove(state, input, runner)
      return settle(state, input, runner, input.origin, state.seq + 1, { stepped })
    }
    case 'deadline': {
      const rules = state.rules
      const deadline = rules?.deadlines.find((d) => d.id === input.id)
      if (rules === null || deadline === undefined) throw new Error(`no deadline ${input.id} is set`)
      const stepped = runner.fire(rules, deadline, input)
      return settle(state, input, runner, null, undefined, { stepped })
    }
    case 'player.dropped': {
      const told = tell(dropped(state, input.by), input, input.by, runner)
      return settle(told.state, input, runner, null, undefined, told)
    }
    case 'player.returned': {
      const told = tell(connected(state, input.by), input, input.by, runner)
      return settle(told.state, input, runner, null, undefined, told)
    }
    case 'player.left': {
      const told = tell(left(state, input.by), input, input.by, runner)
      return settle(told.state, input, runner, input.origin, undefined, told)
    }
    case 'player.kicked': {
      const out = {
        ...left(state, input.player),
        kicked: [...state.kicked.filter((p) => p !== input.player), input.player],
      }
      const told = isPlayer(state, input.player)
        ? tell(out, { ...input, type: 'player.left' }, input.player, runner)
        : { state: out }
      return settle(told.state, input, runner, input.origin, undefined, told)
    }
    case 'media.speaking': {
      const { by, speaking } = input
      const told = tell(state, { ...input, payload: { speaking } }, by, runner)
      return settle(told.state, input, runner, null, undefined, told)
    }
    case 'room.again':
      return settle({ ...state, next: input.next }, input, runner, input.origin, { room: input.next })
  }
}

const NO_EMITS: readonly Emit[] = []

const created = (input: InputOf<'room.created'>): RoomState => ({
  room: input.room,
  seq: 0,
  at: input.at,
  phase: 'open',
  game: input.game,
  version: input.version,
  options: input.options,
  public: input.public,
  created: { by: input.by, digest: input.digest },
  host: input.by,
  hostAway: false,
  players: [],
  members: {},
  kept: [],
  kicked: [],
  gone: [],
  next: null,
  windows: {},
  rules: null,
})

const takeMove = (state: RoomState, input: InputOf<'move'>, runner: Runner): Stepped => {
  const { by } = input.origin
  if (state.phase === 'open') throw new Refusal('illegal_move', 'The game has not started yet.')
  if (state.phase === 'over' || state.rules === null) throw new Refusal('illegal_move', 'The game is over.')
  const stepped = runner.step(state.rules, {
    type: input.move,
    by,
    payload: input.payload,
    at: input.at,
    seed: input.seed,
  })
  if (stepped === null) throw new Refusal('illegal_move', ...reason(state.rules, input, runner))
  return stepped
}

/** The message of a refused move, and its texts by language where the rules give them. */
const reason = (rules: RulesState, { origin, move, payload }: InputOf<'move'>, runner: Runner): [string, Text?] => {
  try {
    const why = runner.explain(rules, { type: move, by: origin.by, payload })
    if (typeof why === 'string') return [why]
    if (why !== null) return [why.en ?? Object.values(why)[0] ?? '', why]
  } catch (error) {
    if (!(error instanceof RulesError)) throw error
  }
  return [`The rules do not allow "${move}" now.`]
}

const eventFor = (
  { type, at, seed, payload }: { type: string; at: number; seed: number; payload?: unknown },
  by: PlayerId,
): RulesEvent => (payload === undefined ? { type, by, at, seed } : { type, by, payload, at, seed })

interface Told {
  state: RoomState
  stepped?: Stepped | null
  trouble?: RulesError
}

/** Tells running rules of a room event. What happened to the member has happened: a throw does not undo it. */
const tell = (
  state: RoomState,
  input: { type: string; at: number; seed: number; payload?: unknown },
  by: PlayerId,
  runner: Runner,
): Told => {
  if (state.phase !== 'playing' || state.rules === null) return { state }
  try {
    return { state, stepped: runner.step(state.rules, eventFor(input, by)) }
  } catch (error) {
    if (error instanceof RulesError) return { state, trouble: error }
    throw error
  }
}

/** The windows, pruned where one more player comes to them: they grow by nothing else. */
const roomFor = ({ by }: Origin, state: RoomState, at: number): Windows =>
  Object.hasOwn(state.windows, by)
    ? state.windows
    : prune(state.windows, (player) => isPlayer(state, player) || player === state.host, at)

const settle = (
  state: RoomState,
  input: RoomInput,
  runner: Runner,
  origin: Origin | null,
  value?: unknown,
  told?: { stepped?: Stepped | null; trouble?: RulesError },
): Outcome => {
  const seq = state.seq + 1
  const windows =
    origin === null ? state.windows : remember(roomFor(origin, state, input.at), origin, value ?? null, input.at)
  const rules = told?.stepped?.state ?? state.rules
  const over = state.phase === 'playing' && rules !== null && runner.done(rules)
  return {
    state: { ...state, rules, seq, at: input.at, windows, phase: over ? 'over' : state.phase },
    emits: told?.stepped?.emits.map(({ event, to }) => ({ seq, event, to })) ?? NO_EMITS,
    value,
    trouble: told?.trouble ?? null,
  }
}
