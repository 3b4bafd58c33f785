import { assign, setup } from 'xstate'
import { z } from 'zod'
import { deadline, defineGame, gameType } from '../../../engine/rules/rules.ts'

/** What load tests watch: a room that beats by itself, says when the next beat is due, and answers a poke between beats. */
interface Pulse {
  readonly ms: number
  readonly beats: number
  readonly pokes: number
}

const g = gameType<Pulse>()({
  id: 'pulse',
  version: 1,
  title: { en: 'Pulse', ko: '맥박' },
  players: [1, 1],
  moves: { poke: z.object({}) },
  options: z.object({ ms: z.int().min(100).default(1_000) }),
})

const machine = setup({
  types: g.types,
  delays: { beat: ({ context }) => context.ms },
  actions: {
    beat: assign({ beats: ({ context }) => context.beats + 1 }),
    count: g.change('poke', ({ context: { pokes } }) => ({ pokes: pokes + 1 })),
  },
}).createMachine({
  id: 'pulse',
  initial: 'beating',
  context: ({ input: { options } }) => ({ ms: options.ms, beats: 0, pokes: 0 }),
  states: {
    beating: {
      after: { beat: { target: 'beating', reenter: true, actions: 'beat' } },
      on: { poke: { actions: 'count' } },
    },
  },
})

export default defineGame(g, machine, {
  everyone: (s) => ({ beats: s.context.beats, pokes: s.context.pokes, due: deadline(s, 'beat') }),
  autoStart: true,
})
