/** How many steps a second the rules take on one core: votes of a day in `mafia`, moves of `bench`. */

import { type AnyMachineSnapshot, isMachineSnapshot, transition } from 'xstate'
import type { RulesState, Runner } from '../../engine/rules/game.ts'
import { createRunner } from '../../engine/rules/runner.ts'
import mafia from '../../games/mafia/rules.ts'
import bench from '../games/bench/rules.ts'

const ROUNDS = 8
const players = Array.from({ length: 8 }, (_, seat) => `p${seat}`)

const begin = (runner: Runner): RulesState =>
  runner.start({ players, options: runner.parseOptions(undefined), at: 0, seed: 1 }).state

interface Move {
  type: string
  by: string
  payload: unknown
}

/** A game in the middle of play, and its next moves, for ever. */
export interface Play {
  readonly runner: Runner
  readonly from: RulesState
  readonly move: (turn: number) => Move
}

/** Seven of eight vote, over and over, so that the day never ends. */
const votes = (): Play => {
  const town = createRunner(mafia)
  const night = begin(town)
  const [dawn] = night.deadlines
  if (dawn === undefined) throw new Error('the night has no deadline')
  const day = town.fire(night, dawn, { at: dawn.due, seed: 1 }).state
  const move = (turn: number) => ({ type: 'vote', by: `p${turn % 7}`, payload: { target: `p${(turn * 5) % 8}` } })
  return { runner: town, from: day, move }
}

const sets = (): Play => {
  const runner = createRunner(bench)
  const move = (turn: number) => ({ type: 'set', by: `p${turn % 8}`, payload: { cell: turn % 64, value: turn } })
  return { runner, from: begin(runner), move }
}

export const PLAYS = { votes, sets }

/** Steps per second, and the same by XState's own `transition()` in the same rounds. The best of some rounds: noise only ever slows. */
export const stepsPerSecond = ({ runner, from, move }: Play, steps: number): { ours: number; xstate: number } => {
  const best = { ours: 0, xstate: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    let state = from
    let began = performance.now()
    for (let turn = 0; turn < steps; turn++) {
      const next = runner.step(state, { ...move(turn), at: 40_000, seed: turn })
      if (next === null) throw new Error(`${runner.id} refused move ${turn}`)
      state = next.state
    }
    best.ours = Math.max(best.ours, (steps * 1_000) / (performance.now() - began))
    let snapshot = snapshotOf(from)
    began = performance.now()
    for (let turn = 0; turn < steps; turn++) [snapshot] = transition(snapshot.machine, snapshot, move(turn))
    best.xstate = Math.max(best.xstate, (steps * 1_000) / (performance.now() - began))
  }
  return best
}

const snapshotOf = ({ snapshot }: RulesState): AnyMachineSnapshot => {
  if (isMachineSnapshot(snapshot)) return snapshot
  throw new Error('not a state of XState')
}
