import { type AnyStateMachine, assign, setup } from 'xstate'
import { z } from 'zod'
import { defineGame } from '../define.ts'
import { RulesError } from '../game.ts'
import { gameType } from '../gametype.ts'
import { createRunner } from '../runner.ts'

/** A game that shows little, for tests of what the runner does with it. */
export const head = {
  id: 'lab',
  version: 3,
  title: { en: 'Lab', ko: '실험실' },
  players: [1, 4] as const,
  moves: {
    go: z.object({ n: z.number().default(1) }),
    chat: z.object({ text: z.string(), to: z.string().optional() }),
  },
  options: z.object({ wait: z.number().default(100) }),
  personal: ['chat.text', 'chat.to'] as const,
}
export interface Lab {
  readonly wait: number
  readonly got: unknown
}
export const g = gameType<Lab>()(head)
export const lab = setup({ types: g.types })
/** The runner of this machine, and its room begun by two players. */
export const start = (machine: AnyStateMachine, more: object = {}) => {
  const runner = createRunner(defineGame(g, machine, { everyone: () => ({}), ...more }))
  return { runner, ...runner.start({ players: ['ann', 'bo'], options: runner.parseOptions(null), at: 1_000, seed: 7 }) }
}
/** A machine that keeps what `f` gives when `go` comes. */
export const keeping = (f: () => unknown) =>
  lab.createMachine({
    id: 'lab',
    context: ({ input }) => ({ wait: input.options.wait, got: null }),
    initial: 'idle',
    states: { idle: { on: { go: { actions: assign({ got: () => f() }) } } } },
  })
export const go = { type: 'go', by: 'ann', payload: { n: 1 }, at: 2_000, seed: 9 }
/** The RulesError that `run` must throw. */
export const thrown = (run: () => unknown): RulesError => {
  try {
    run()
  } catch (error) {
    if (error instanceof RulesError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
