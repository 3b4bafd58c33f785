/** Prints how many steps a second the rules take on one core: votes of a day in `mafia`, moves of `bench`. Run it alone. */

import type { RulesState, Runner } from '../../engine/rules/game.ts'
import { createRunner } from '../../engine/rules/runner.ts'
import mafia from '../../games/mafia/rules.ts'
import bench from '../games/bench/rules.ts'

const ROUNDS = 8
const STEPS = 100_000
const players = Array.from({ length: 8 }, (_, seat) => `p${seat}`)

const begin = (runner: Runner): RulesState =>
  runner.start({ players, options: runner.parseOptions(undefined), at: 0, seed: 1 }).state

/** The best of some rounds: noise only ever slows. Seven of eight vote, over and over, so that the day never ends. */
const measure = (
  runner: Runner,
  from: RulesState,
  move: (turn: number) => { type: string; by: string; payload: unknown },
) => {
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    let state = from
    const began = performance.now()
    for (let turn = 0; turn < STEPS; turn++) {
      const next = runner.step(state, { ...move(turn), at: 40_000, seed: turn })
      if (next === null) throw new Error(`${runner.id} refused move ${turn}`)
      state = next.state
    }
    best = Math.max(best, STEPS / (performance.now() - began))
  }
  console.log(`${runner.id}: ${best.toFixed(0)} k steps/s`)
}

const town = createRunner(mafia)
const night = begin(town)
const [dawn] = night.deadlines
if (dawn === undefined) throw new Error('the night has no deadline')
const day = town.fire(night, dawn, { at: dawn.due, seed: 1 }).state
measure(town, day, (turn) => ({ type: 'vote', by: `p${turn % 7}`, payload: { target: `p${(turn * 5) % 8}` } }))

const table = createRunner(bench)
measure(table, begin(table), (turn) => ({ type: 'set', by: `p${turn % 8}`, payload: { cell: turn % 64, value: turn } }))
