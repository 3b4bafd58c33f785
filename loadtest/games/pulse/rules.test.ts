import { expect, it } from 'vitest'
import { createRunner } from '../../../engine/rules/runner.ts'
import pulse from './rules.ts'

const runner = createRunner(pulse)

it('beats when it is due, says when that is next, and a poke does not put it off', () => {
  const begun = runner.start({ players: ['ann'], options: { ms: 500 }, at: 1_000, seed: 1 }).state
  expect(runner.everyone(begun)).toEqual({ beats: 0, pokes: 0, due: 1_500 })
  const poked = runner.step(begun, { type: 'poke', by: 'ann', payload: {}, at: 1_200, seed: 2 })?.state ?? begun
  expect(runner.everyone(poked)).toEqual({ beats: 0, pokes: 1, due: 1_500 })
  const [beat] = poked.deadlines
  if (beat === undefined) throw new Error('no beat is due')
  expect(runner.everyone(runner.fire(poked, beat, { at: 1_510, seed: 3 }).state)).toEqual({
    beats: 1,
    pokes: 1,
    due: 2_010,
  })
})
