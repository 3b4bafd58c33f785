import { setup } from 'xstate'
import { z } from 'zod'
import { defineGame, gameType, type PlayerId } from '../../../engine/rules/rules.ts'

/** What load tests play: each move can be checked from outside, against every other move of its room. */
interface Bench {
  readonly cells: readonly number[]
  readonly scores: Readonly<Record<PlayerId, number>>
  /** How many moves were made. */
  readonly turn: number
  readonly secrets: Readonly<Record<PlayerId, number>>
}

const g = gameType<Bench>()({
  id: 'bench',
  version: 1,
  title: { en: 'Bench', ko: '벤치' },
  players: [8, 8],
  moves: { set: z.object({ cell: z.int().min(0).max(63), value: z.int() }) },
})

/** As `cells.with(cell, value)`, which is thirty times slower on a frozen list, as the engine freezes each state. */
const withCell = (cells: Bench['cells'], cell: number, value: number): number[] => {
  const changed = [...cells]
  changed[cell] = value
  return changed
}

const machine = setup({
  types: g.types,
  guards: { plays: g.when('set', ({ context, by }) => Object.hasOwn(context.scores, by)) },
  actions: {
    set: g.change('set', ({ context: { cells, scores, turn, secrets }, by, payload: { cell, value } }) => ({
      cells: withCell(cells, cell, value),
      scores: { ...scores, [by]: (scores[by] ?? 0) + 1 },
      turn: turn + 1,
      secrets: { ...secrets, [by]: (Math.imul(secrets[by] ?? 1, 31) + value) & 0x7fffffff },
    })),
  },
}).createMachine({
  id: 'bench',
  initial: 'playing',
  context: ({ input: { players } }) => ({
    cells: Array.from({ length: 64 }, () => 0),
    scores: Object.fromEntries(players.map((player) => [player, 0])),
    turn: 0,
    secrets: Object.fromEntries(players.map((player) => [player, 1])),
  }),
  states: { playing: { on: { set: { guard: 'plays', actions: 'set' } } } },
})

export default defineGame(g, machine, {
  everyone: ({ context: { cells, scores, turn } }) => ({ cells, scores, turn }),
  only: ({ context: { secrets } }, viewer) => ({
    secret: viewer !== null && Object.hasOwn(secrets, viewer) ? (secrets[viewer] ?? null) : null,
  }),
  explain: () => ({ en: 'Only the players of this room set cells.', ko: '이 방의 참가자만 칸을 바꿀 수 있습니다.' }),
  autoStart: true,
})
