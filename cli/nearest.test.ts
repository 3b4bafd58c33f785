import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const COMMANDS = ['start', 'log', 'replay', 'verify']

test.for([
  ['strat', 'start'],
  ['satrt', 'start'],
  ['stat', 'start'],
  ['starts', 'start'],
  ['lgo', 'log'],
  ['reply', 'replay'],
  ['verfiy', 'verify'],
] as const)('a slip is recognised: %s is %s', ([word, meant]) => {
  expect(nearest(word, COMMANDS)).toBe(meant)
})

test.for(['run', 'x', 'compose', ''])('what is no slip gets no guess: "%s"', (word) => {
  expect(nearest(word, COMMANDS)).toBeNull()
})
