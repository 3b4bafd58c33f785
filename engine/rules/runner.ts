import { Refusal } from '../../protocol/errors.ts'
import { isGame } from './define.ts'
import { emitsOf, type Timers, timersAfter } from './effects.ts'
import { RulesError, type RulesState, type Runner, type Stamp, type Stepped } from './game.ts'
import { pureMachine, type Transition, threw } from './machine.ts'
import { seal } from './plain.ts'
import { jsonSchema, parse } from './schema.ts'
import { fromPlain, migrated, toPlain } from './stored.ts'
import type { AnyGame } from './types.ts'
import { viewsOf } from './views.ts'

const NO_TIMERS: Timers = { deadlines: [], nextOrder: 0 }

/** Returns the runner of a game that defineGame made; throws TypeError for anything else. */
export const createRunner = (game: object): Runner => {
  if (!isGame(game)) throw new TypeError('createRunner takes what defineGame returned')
  const { id, version, title, players, moves } = game
  const machine = pureMachine(id, game.machine)

  const stepped = ({ snapshot, effects }: Transition, before: Timers, { at }: Stamp): Stepped => {
    const flaw = seal(snapshot.context, 'context')
    if (flaw !== null) throw new RulesError(`${id}: ${flaw}: a context holds plain data only`)
    try {
      const timers = timersAfter(before, effects, at)
      const deadlines = snapshot.status === 'done' ? [] : timers.deadlines
      return { state: { snapshot, deadlines, nextOrder: timers.nextOrder }, emits: emitsOf(effects) }
    } catch (error) {
      throw threw(id, error)
    }
  }
  const done = (state: RulesState): boolean => machine.snapshot(state.snapshot).status === 'done'

  return {
    id,
    version,
    title,
    players,
    autoStart: game.autoStart ?? false,
    dropIn: game.dropIn ?? false,
    lobbyMedia: game.lobbyMedia ?? 'all',
    hearsSpeaking: game.machine.events.some((event) => event === 'media.speaking' || event === 'media.*'),
    moves: Object.keys(moves),
    moveSchemas: Object.fromEntries(Object.entries(moves).map(([type, schema]) => [type, jsonSchema(schema)])),
    hasOnly: game.only !== undefined,
    optionsSchema: jsonSchema(game.options),
    personal: personalOf(game),
    channels: Object.fromEntries(
      Object.entries(game.channels ?? {}).map(([name, { maxBytes, rate }]) => [name, { maxBytes, rate }]),
    ),
    namesAudiences: game.chat !== undefined,
    chatAudiences: [...new Set(['players', 'spectators', ...Object.keys(game.chat ?? {})])],

    parseOptions: (options) => {
      if (game.options !== undefined) return parse(game.options, options ?? {}, 'options')
      if (Object.keys(Object(options)).length > 0) throw new Refusal('invalid_payload', `${id} takes no options`, [])
      return {}
    },
    parseMove: (type, payload) => {
      const schema = Object.hasOwn(moves, type) ? moves[type] : undefined
      if (schema !== undefined) return parse(schema, payload ?? undefined, type)
      throw new Refusal('invalid_payload', `${id} has no move "${type}"; it has ${Object.keys(moves).join(', ')}`, [])
    },

    start: ({ at, seed, players, options }) => {
      const input = { players: [...players], options }
      const flaw = seal(input, 'the input of the machine')
      if (flaw !== null) throw new RulesError(`${id}: ${flaw}`)
      return stepped(machine.initial(input, { at, seed }), NO_TIMERS, { at, seed })
    },
    step: (state, { type, by, payload, at, seed }) => {
      if (done(state)) return null
      const event = payload === undefined ? { type, by } : { type, by, payload }
      const next = machine.transition(state.snapshot, event, { at, seed })
      if (next.snapshot === state.snapshot && next.effects.length === 0) return null
      return stepped(next, state, { at, seed })
    },
    fire: (state, deadline, stamp) => {
      const deadlines = state.deadlines.filter(
        ({ id: timer, order }) => timer !== deadline.id || order !== deadline.order,
      )
      if (deadlines.length === state.deadlines.length)
        throw new RulesError(`${id}: the timer "${deadline.id}" does not run in this state`)
      return stepped(machine.transition(state.snapshot, deadline.event, stamp), { ...state, deadlines }, stamp)
    },

    done,
    ...viewsOf(game, (state) => machine.snapshot(state.snapshot)),
    toPlain: (state) => toPlain(id, machine, state),
    fromPlain: (plain) => fromPlain(id, machine, plain),
    migrate: (from, plain) => migrated(game, machine, from, plain),
  }
}

const personalOf = (game: AnyGame): Record<string, string[][]> => {
  const paths = (game.personal ?? []).map((path) => path.split('.'))
  const named = new Set(paths.flatMap(([move = '']) => move))
  return Object.fromEntries(
    [...named].map((name) => [name, paths.filter(([move]) => move === name).map(([, ...keys]) => keys)]),
  )
}
