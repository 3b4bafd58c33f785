import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRunner } from '../../../engine/rules/runner.ts'
import bench from './rules.ts'

const runner = createRunner(bench)
const players = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7']
const stamp = { at: 1_000, seed: 7 }
const begin = () => runner.start({ players, options: {}, ...stamp }).state

const move = fc.record({
  by: fc.constantFrom(...players),
  cell: fc.integer({ min: 0, max: 63 }),
  value: fc.oneof(fc.integer(), fc.maxSafeInteger()),
})

describe('bench', () => {
  it('starts by itself with eight, 64 zeros, no scores, and secrets of 1', () => {
    expect(runner).toMatchObject({ id: 'bench', players: [8, 8], autoStart: true, hasOnly: true, moves: ['set'] })
    expect(runner.everyone(begin())).toEqual({
      cells: Array(64).fill(0),
      scores: Object.fromEntries(players.map((player) => [player, 0])),
      turn: 0,
    })
    for (const player of players) expect(runner.only(begin(), player)).toEqual({ secret: 1 })
  })

  it('does with every move what a client can work out by itself, and shows each player no secret but its own', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const cells = Array(64).fill(0)
        const scores = new Map(players.map((player) => [player, 0]))
        const secrets = new Map(players.map((player) => [player, 1]))
        let state = begin()
        for (const { by, cell, value } of moves) {
          const next = runner.step(state, {
            type: 'set',
            by,
            payload: runner.parseMove('set', { cell, value }),
            ...stamp,
          })
          state = next?.state ?? state
          cells[cell] = value
          scores.set(by, (scores.get(by) ?? 0) + 1)
          secrets.set(by, (Math.imul(secrets.get(by) ?? 0, 31) + value) & 0x7fffffff)
        }
        expect(runner.everyone(state)).toEqual({ cells, scores: Object.fromEntries(scores), turn: moves.length })
        for (const player of players) expect(runner.only(state, player)).toEqual({ secret: secrets.get(player) })
        expect(runner.only(state, null)).toEqual({ secret: null })
        expect(runner.only(state, 'constructor')).toEqual({ secret: null })
      }),
      { numRuns: 50 },
    )
  })

  it('takes no move of somebody who does not play', () => {
    expect(runner.step(begin(), { type: 'set', by: 'ann', payload: { cell: 0, value: 1 }, ...stamp })).toBeNull()
    expect(runner.step(begin(), { type: 'set', by: 'toString', payload: { cell: 0, value: 1 }, ...stamp })).toBeNull()
  })

  it.each([[{ cell: 64, value: 1 }], [{ cell: -1, value: 1 }], [{ cell: 0, value: 0.5 }], [{ cell: 0 }]])(
    'refuses the payload %j',
    (payload) => {
      expect(() => runner.parseMove('set', payload)).toThrow(expect.objectContaining({ code: 'invalid_payload' }))
    },
  )
})
