import type { AnyMachineSnapshot } from 'xstate'
import type { PlayerId } from '../../protocol/frames.ts'
import type { MediaPolicy, RulesState, Runner } from './game.ts'
import { RulesError } from './game.ts'
import { threw } from './machine.ts'
import { enterView, leave } from './moment.ts'
import { seal } from './plain.ts'
import type { AnyGame } from './types.ts'

type Views = Pick<
  Runner,
  'result' | 'everyone' | 'only' | 'media' | 'legal' | 'explain' | 'mayCast' | 'mayReceive' | 'mayWrite' | 'mayRead'
>

/** Where the rules say nothing, everybody sees and hears the players. */
const OPEN: MediaPolicy = { see: 'all', hear: 'all' }

/** Returns the game's views as functions of a state; each is pure, and throws RulesError where the game's own function does. */
export const viewsOf = (game: AnyGame, snapshotOf: (state: RulesState) => AnyMachineSnapshot): Views => {
  const all = (s: AnyMachineSnapshot): unknown => game.everyone(s)
  const only = game.only?.bind(game)
  const media = game.media?.bind(game)
  const legal = game.legal?.bind(game)
  const explain = game.explain?.bind(game)

  const look = <T, A>(name: string, state: RulesState, view: (s: AnyMachineSnapshot, about: A) => T, about: A): T => {
    const snapshot = snapshotOf(state)
    const before = enterView(state)
    try {
      return view(snapshot, about)
    } catch (error) {
      throw threw(`${game.id}: ${name} threw at state ${JSON.stringify(snapshot.value)}`, error)
    } finally {
      leave(before)
    }
  }
  const plain = <T>(name: string, shown: T): T => {
    const flaw = seal(shown, name)
    if (flaw === null) return shown
    throw new RulesError(`${game.id}: ${flaw}: views show plain data only`)
  }
  const fields = (name: string, shown: unknown): Record<string, unknown> => {
    if (typeof shown !== 'object' || shown === null || Array.isArray(shown))
      throw new RulesError(`${game.id}: ${name} must return an object of what is known`)
    return Object.assign(plain(name, shown))
  }

  // `only` is asked once per viewer of one state: what everyone's keys are is remembered.
  let last: { state: RulesState; keys: readonly string[] } | null = null
  const everyone = (state: RulesState): Record<string, unknown> => {
    const shown = fields('everyone', look('everyone', state, all, null))
    last = { state, keys: Object.keys(shown) }
    return shown
  }
  const everyonesKeys = (state: RulesState): readonly string[] =>
    last?.state === state ? last.keys : Object.keys(everyone(state))

  return {
    everyone,
    only: (state, viewer) => {
      if (only === undefined) return {}
      const shown = fields('only', look('only', state, only, viewer))
      for (const key of everyonesKeys(state))
        if (Object.hasOwn(shown, key))
          throw new RulesError(`${game.id}: only shows "${key}", which everyone shows too: give it another name`)
      return shown
    },
    media: (state, viewer) => (media === undefined ? OPEN : policy(game.id, look('media', state, media, viewer))),
    legal: (state, player) => (legal === undefined ? null : plain('legal', look('legal', state, legal, player))),
    explain: (state, move) => (explain === undefined ? null : (look('explain', state, explain, move) ?? null)),
    result: (state) => plain('result', look('result', state, (s) => game.result?.(s), null) ?? null),
    mayCast: (state, channel, player) =>
      look(`from of channel "${channel}"`, state, (s) => channelOf(game, channel)?.from?.(s, player) === true, null),
    mayReceive: (state, channel, player, viewer) => {
      const rules = channelOf(game, channel)
      if (rules === undefined) return false
      if (rules.to === undefined) return viewer !== null
      return look(`to of channel "${channel}"`, state, (s) => rules.to?.(s, player, viewer) === true, null)
    },
    mayWrite: (state, audience, member) => {
      const rules = audienceOf(game, audience)
      if (rules?.from === undefined) return belongs(audience, member)
      return look(`from of chat "${audience}"`, state, (s) => rules.from?.(s, member) === true, null)
    },
    mayRead: (state, audience, viewer) => {
      const rules = audienceOf(game, audience)
      if (rules?.to === undefined) return belongs(audience, viewer)
      return look(`to of chat "${audience}"`, state, (s) => rules.to?.(s, viewer) === true, null)
    },
  }
}

const channelOf = ({ channels = {} }: AnyGame, name: string) =>
  Object.hasOwn(channels, name) ? channels[name] : undefined

const audienceOf = ({ chat = {} }: AnyGame, name: string) => (Object.hasOwn(chat, name) ? chat[name] : undefined)

/** Whether the chat audience is the member's own, where the game says nothing: players', or spectators'. Pure. */
export const belongs = (audience: string, member: PlayerId | null): boolean =>
  audience === (member === null ? 'spectators' : 'players')

const policy = (id: string, given: MediaPolicy): MediaPolicy => {
  if (typeof given !== 'object' || given === null)
    throw new RulesError(`${id}: media gave ${String(given)}; it must be { see, hear }`)
  const { see, hear } = given
  for (const [name, seen] of Object.entries({ see, hear }))
    if (
      seen !== 'all' &&
      seen !== 'none' &&
      !(Array.isArray(seen) && seen.every((player) => typeof player === 'string'))
    )
      throw new RulesError(
        `${id}: media gave ${name}: ${JSON.stringify(seen)}; it must be a list of player ids, 'all' or 'none'`,
      )
  return { see, hear }
}
