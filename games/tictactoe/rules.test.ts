import { describe, expect, it } from 'vitest'
import type { RulesState } from '../../engine/rules/game.ts'
import { createRunner } from '../../engine/rules/runner.ts'
import tictactoe from './rules.ts'

const runner = createRunner(tictactoe)
const stamp = { at: 1_000, seed: 7 }
const begin = (): RulesState => runner.start({ players: ['ann', 'bo'], options: {}, ...stamp }).state
const mark = (state: RulesState, by: string, cell: number) =>
  runner.step(state, { type: 'mark', by, payload: runner.parseMove('mark', { cell }), ...stamp })?.state ?? null
const play = (cells: readonly number[]): RulesState =>
  cells.reduce((state, cell, turn) => {
    const next = mark(state, turn % 2 === 0 ? 'ann' : 'bo', cell)
    if (next === null) throw new Error(`move ${turn} was refused`)
    return next
  }, begin())

describe('tictactoe', () => {
  it('is as outside clients see it: nine empty cells, and the first to join begins', () => {
    expect(runner.everyone(begin())).toEqual({ cells: Array(9).fill(null), turn: 'ann', winner: null })
    expect(runner).toMatchObject({ id: 'tictactoe', players: [2, 2], autoStart: true, hasOnly: false, moves: ['mark'] })
  })

  it('has 5,478 positions, each reachable by the moves that `legal` lists and by no others; all games end', () => {
    const seen = new Map<string, RulesState>()
    const key = (state: RulesState) => JSON.stringify(runner.everyone(state).cells)
    const outcomes: Record<string, number> = {}
    const open = [begin()]
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      if (seen.has(key(state))) continue
      seen.set(key(state), state)
      const { winner, turn } = runner.everyone(state)
      expect(runner.done(state)).toBe(winner !== null)
      if (runner.done(state)) outcomes[String(winner)] = (outcomes[String(winner)] ?? 0) + 1
      for (const by of ['ann', 'bo', 'cy']) {
        const legal = runner.legal(state, by)?.map(({ payload }) => payload) ?? []
        for (let cell = 0; cell < 9; cell++) {
          const next = mark(state, by, cell)
          expect(next !== null).toBe(legal.some((payload) => JSON.stringify(payload) === JSON.stringify({ cell })))
          if (next !== null) expect(by).toBe(turn)
          if (next !== null) open.push(next)
        }
      }
    }
    expect(seen.size).toBe(5_478)
    expect(outcomes).toEqual({ ann: 626, bo: 316, draw: 16 })
  })

  it('names the winner of a whole line, and a draw of a full board', () => {
    const won = play([0, 1, 3, 4, 6])
    expect(runner.everyone(won)).toMatchObject({ winner: 'ann', turn: null })
    expect(runner.result(won)).toEqual({ winners: ['ann'] })
    const drawn = play([0, 1, 2, 4, 3, 5, 7, 6, 8])
    expect(runner.everyone(drawn)).toMatchObject({ winner: 'draw', turn: null })
    expect(runner.result(drawn)).toEqual({ winners: [] })
  })

  it.each([
    ['ann', 'bo'],
    ['bo', 'ann'],
  ])('gives the game to the other when %s leaves', (leaver, other) => {
    const left = runner.step(play([0]), { type: 'player.left', by: leaver, ...stamp })?.state ?? begin()
    expect(runner.everyone(left)).toMatchObject({ winner: other, turn: null })
    expect(runner.done(left)).toBe(true)
  })

  it('goes on when a player drops and returns', () => {
    for (const type of ['player.dropped', 'player.returned'])
      expect(runner.step(play([0]), { type, by: 'ann', ...stamp })).toBeNull()
  })

  it('tells why a move was refused, in both languages', () => {
    const state = play([4])
    expect(runner.explain(state, { type: 'mark', by: 'ann', payload: { cell: 0 } })).toMatchObject({
      en: 'It is not your turn.',
    })
    expect(runner.explain(state, { type: 'mark', by: 'bo', payload: { cell: 4 } })).toMatchObject({
      en: 'That cell is taken.',
    })
    expect(runner.explain(state, { type: 'mark', by: 'bo', payload: { cell: 5 } })).toBeNull()
    expect(tictactoe.title).toEqual({ en: 'Tic-tac-toe', ko: '틱택토' })
  })

  it.each([[{ cell: 9 }], [{ cell: -1 }], [{ cell: 1.5 }], [{ cell: '1' }], [{}], [null], [undefined]])(
    'refuses the payload %j',
    (payload) => {
      expect(() => runner.parseMove('mark', payload)).toThrow(expect.objectContaining({ code: 'invalid_payload' }))
    },
  )
})
