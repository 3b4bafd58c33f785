/** Held by `tsc`: each `@ts-expect-error` is a mistake that a designer must hear of while typing. */
import { and, setup } from 'xstate'
import { z } from 'zod'
import type tictactoe from '../../games/tictactoe/rules.ts'
import { deadline, defineGame, type GameDocumentOf, gameType, type MovesOf, type PlayerId } from './rules.ts'

interface Town {
  mafia: readonly PlayerId[]
  alive: readonly PlayerId[]
  ballots: Readonly<Record<PlayerId, PlayerId>>
  night: number
}
const g = gameType<Town>()({
  id: 'mafia',
  version: 1,
  title: { en: 'Mafia', ko: '마피아' },
  players: [5, 12],
  moves: {
    vote: z.object({ target: z.string() }),
    chat: z.object({ text: z.string() }),
    pay: z.object({ sum: z.number().default(1) }),
  },
  options: z.object({ night: z.number().default(30) }),
  personal: ['chat.text'],
  emits: {} as { type: 'bang'; by: PlayerId },
})
const town = setup({
  types: g.types,
  delays: { night: ({ context }) => context.night * 1000 },
  guards: {
    alive: g.when('vote', ({ context, by, payload }) => context.alive.includes(by) && payload.target !== by),
    rich: g.when('pay', ({ payload }) => payload.sum > 3),
  },
  actions: {
    ballot: g.change('vote', ({ context, by, payload }) => ({
      ballots: { ...context.ballots, [by]: payload.target },
    })),
    gone: g.change('player.left', ({ context, by }) => ({ alive: context.alive.filter((p) => p !== by) })),
  },
})
const machine = town.createMachine({
  id: 'mafia',
  initial: 'night',
  context: ({ input }) => ({
    mafia: input.players.slice(0, 1),
    alive: input.players,
    ballots: {},
    night: input.options.night,
  }),
  on: { 'player.left': { actions: 'gone' } },
  states: {
    night: { after: { night: 'day' }, on: { vote: { guard: and(['alive', 'rich']), actions: 'ballot' } } },
    day: { on: { chat: { guard: ({ event }) => event.payload.text !== '' } } },
  },
})

// @ts-expect-error a move that is not there
g.when('vot', () => true)
// @ts-expect-error the payload of another move
g.when('vote', ({ payload }) => payload.text === '')
// @ts-expect-error events of the room have no payload
g.when('player.left', ({ payload }) => payload !== undefined)
g.when('media.speaking', ({ by, payload }) => payload.speaking && by !== '')
// @ts-expect-error what media.speaking says
g.when('media.speaking', ({ payload }) => payload.loud)
// @ts-expect-error the time is now(), not a part of an event
g.when('vote', ({ at }) => at > 0)
// @ts-expect-error not a part of the context
g.change('vote', () => ({ balots: {} }))
// @ts-expect-error a part of the context with a wrong type
g.change('vote', () => ({ alive: 3 }))
// @ts-expect-error a guard that is not there
town.createMachine({ context: ({ input }) => at(input), on: { vote: { guard: 'alivee' } } })
// @ts-expect-error an action that is not there
town.createMachine({ context: ({ input }) => at(input), on: { vote: { actions: 'balot' } } })
// @ts-expect-error an event that is not there
town.createMachine({ context: ({ input }) => at(input), on: { vot: {} } })
// @ts-expect-error an emitted event that the game does not name
town.emit({ type: 'bong', by: 'ann' })
// @ts-expect-error a personal path of a move that is not there
gameType<Town>()({ id: 'x', version: 1, title: 'X', players: [1, 2], moves: {}, personal: ['chat.text'] })
const at = ({ options }: { options: { night: number } }): Town => ({
  mafia: [],
  alive: [],
  ballots: {},
  night: options.night,
})

const mafia = defineGame(g, machine, {
  everyone: (s) => ({ phase: s.value, alive: s.context.alive, endsAt: deadline(s, 'night') }),
  only: (s, viewer) => ({ mafia: viewer !== null && s.context.mafia.includes(viewer) ? s.context.mafia : null }),
  media: (s) => (s.matches('night') ? { see: 'none', hear: 'none' } : { see: 'all', hear: s.context.alive }),
  legal: (s) => s.context.alive.map((target) => ({ type: 'vote', payload: { target } })),
  explain: (_, move) => (move.type === 'chat' ? { en: move.payload.text } : null),
})
// @ts-expect-error views must show something to everyone
defineGame(g, machine, {})
// @ts-expect-error a part of the context that is not there
defineGame(g, machine, { everyone: (s) => ({ alive: s.context.alvie }) })
// @ts-expect-error a state that is not there
defineGame(g, machine, { everyone: (s) => ({ night: s.matches('nite') }) })
// @ts-expect-error neither a list nor 'all' nor 'none'
defineGame(g, machine, { everyone: () => ({}), media: () => ({ see: 'some', hear: 'none' }) })
// @ts-expect-error a legal move with another's payload
defineGame(g, machine, { everyone: () => ({}), legal: () => [{ type: 'vote', payload: { text: '' } }] })
// @ts-expect-error an explained move that is not there
defineGame(g, machine, { everyone: () => ({}), explain: (_, move) => (move.type === 'vot' ? 'No' : null) })

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_ extends true>(): void => {}

type Moves = MovesOf<typeof mafia>
holds<Same<Moves['vote'], { target: string }>>()
holds<Same<Moves['pay'], { sum?: number | undefined }>>() // what a client sends: the default may be left out
holds<Same<keyof Moves, 'vote' | 'chat' | 'pay'>>()

type Document = GameDocumentOf<typeof mafia>
holds<Same<Document['phase'], 'night' | 'day'>>()
holds<Same<Document['endsAt'], number | null>>()
holds<Same<Document['mafia'], readonly string[] | null>>()
// @ts-expect-error a field that no view shows
holds<Same<Document['ballots'], unknown>>()

holds<Same<MovesOf<typeof tictactoe>, { mark: { cell: number } }>>()
holds<Same<GameDocumentOf<typeof tictactoe>['winner'], string | null>>()
holds<Same<GameDocumentOf<typeof tictactoe>['cells'], readonly (string | null)[]>>()
