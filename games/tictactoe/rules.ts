import { and, setup } from 'xstate'
import { z } from 'zod'
import { defineGame, gameType, type PlayerId } from '../../engine/rules/rules.ts'

interface Board {
  /** The first to join begins. */
  readonly players: readonly PlayerId[]
  readonly cells: readonly (PlayerId | null)[]
  readonly turn: PlayerId | null
  readonly winner: PlayerId | 'draw' | null
}

const LINES = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 4, 8],
  [2, 4, 6],
]

const g = gameType<Board>()({
  id: 'tictactoe',
  version: 1,
  title: { en: 'Tic-tac-toe', ko: '틱택토' },
  players: [2, 2],
  moves: { mark: z.object({ cell: z.int().min(0).max(8) }) },
})

const otherThan = (player: PlayerId, players: readonly PlayerId[]): PlayerId | null =>
  players.find((other) => other !== player) ?? null

const hasLine = (cells: Board['cells'], player: PlayerId): boolean =>
  LINES.some((line) => line.every((cell) => cells[cell] === player))

const machine = setup({
  types: g.types,
  guards: {
    onesTurn: g.when('mark', ({ context, by }) => context.turn === by),
    emptyCell: g.when('mark', ({ context, payload }) => context.cells[payload.cell] === null),
    decided: ({ context }) => context.winner !== null,
  },
  actions: {
    mark: g.change('mark', ({ context, by, payload }) => {
      const cells = context.cells.with(payload.cell, by)
      const winner = hasLine(cells, by) ? by : cells.includes(null) ? null : 'draw'
      return { cells, winner, turn: winner === null ? otherThan(by, context.players) : null }
    }),
    giveUp: g.change('player.left', ({ context, by }) => ({ winner: otherThan(by, context.players), turn: null })),
  },
}).createMachine({
  id: 'tictactoe',
  initial: 'playing',
  context: ({ input: { players } }) => ({
    players,
    cells: Array.from({ length: 9 }, () => null),
    turn: players[0] ?? null,
    winner: null,
  }),
  states: {
    playing: {
      always: { guard: 'decided', target: 'over' },
      on: {
        mark: { guard: and(['onesTurn', 'emptyCell']), actions: 'mark' },
        'player.left': { actions: 'giveUp' },
      },
    },
    over: { type: 'final' },
  },
})

export default defineGame(g, machine, {
  everyone: ({ context: { cells, turn, winner } }) => ({ cells, turn, winner }),
  legal: ({ context: { cells, turn } }, player) =>
    turn === player
      ? cells.flatMap((owner, cell) => (owner === null ? [{ type: 'mark' as const, payload: { cell } }] : []))
      : [],
  explain: ({ context: { cells, turn } }, { by, payload }) => {
    if (turn !== by) return { en: 'It is not your turn.', ko: '당신의 차례가 아닙니다.' }
    if (cells[payload.cell] !== null) return { en: 'That cell is taken.', ko: '이미 차지된 칸입니다.' }
    return null
  },
  result: ({ context: { winner } }) => ({ winners: winner === null || winner === 'draw' ? [] : [winner] }),
  autoStart: true,
})
