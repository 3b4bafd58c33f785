import { evaluateGame } from '../../rules/evaluate.ts'
import type { LoadedGame } from '../../rules/game.ts'

/** The moves and states of a small game, as text that is evaluated like a bundled `rules.ts`: with a hash and a place in the archive. */
export const gameOf = (
  id: string,
  parts: { head?: string; machine: string; face: string; before?: string },
): LoadedGame =>
  evaluateGame(
    `const { defineGame, gameType, now, random, deadline } = require('madang/rules')
const { setup, assign, emit } = require('xstate')
const any = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value ?? null }) } }
${parts.before ?? ''}
const g = gameType()({ id: '${id}', title: '${id}', version: 1, players: [1, 4], moves: { add: any, say: any }, ${parts.head ?? ''} })
const machine = setup({ types: g.types }).createMachine({ id: '${id}', ${parts.machine} })
module.exports.default = defineGame(g, machine, { ${parts.face} })`,
    id,
  )

/** Counts what players add; each player has a secret, which is what that player added. */
export const counter = (more: { head?: string; face?: string; step?: string } = {}): LoadedGame =>
  gameOf('counter', {
    head: more.head ?? '',
    machine: `
      context: ({ input }) => ({ players: input.players, sum: 0, own: {}, log: [] }),
      on: {
        add: {
          guard: ({ event }) => event.payload > 0,
          actions: assign(({ context, event }) => ({
            sum: context.sum + event.payload${more.step ?? ''},
            own: { ...context.own, [event.by]: (context.own[event.by] ?? 0) + event.payload },
          })),
        },
        say: { actions: [
          assign(({ context, event }) => ({ log: [...context.log, event.payload.text] })),
          emit(({ event }) => ({ type: 'said', n: event.payload.n ?? 0, ...(event.payload.to ? { to: event.payload.to } : {}) })),
        ] },
        'player.left': { actions: assign({ left: ({ event }) => event.by }) },
      }`,
    face:
      more.face ??
      `everyone: (s) => ({ sum: s.context.sum }), only: (s, v) => ({ own: v === null ? 'watching' : (s.context.own[v] ?? 0) })`,
  })
