import { expect, test } from 'vitest'
import { parseArguments } from './arguments.ts'

const parse = (line: string) => parseArguments(line.split(' ').filter(Boolean))

test('without flags the idle time is a whole number of PINGs, heartbeats and held polls, and levels fill rooms of eight', () => {
  const plan = parse('')
  if ('exit' in plan) throw new Error(plan.text)
  for (const seconds of [10, 15, 25]) expect(plan.idleSeconds % seconds).toBe(0)
  for (const players of plan.players) expect(players % 8).toBe(0)
})

test.for([
  ['--players 8', { players: [8] }],
  ['--players 8,80,20000 --seconds 600', { players: [8, 80, 20_000], seconds: 600 }],
  ['--seconds=1 --quick', { seconds: 1, rooms: 2 }],
] as const)('%s is understood', ([line, part]) => {
  expect(parse(line)).toMatchObject(part)
})

test('--help lists the flags', () => {
  expect(parse('--help')).toMatchObject({ exit: 0, text: expect.stringMatching(/--quick.*--players.*--seconds/s) })
})

test.for([
  ['full', "Unexpected argument 'full'"],
  ['--player 8', "Unknown option '--player'"],
  ['--players', "Option '--players <value>' argument missing"],
  ['--players 80,8', '--players must be rising multiples of 8 up to 20000, such as 80,400, not "80,8"'],
  ['--players 12', '--players must be'],
  ['--players 0', '--players must be'],
  ['--players 8,,16', '--players must be'],
  ['--players 20008', '--players must be'],
  ['--seconds 0', '--seconds must be a whole number from 1 to 600, not "0"'],
  ['--seconds 1.5', '--seconds must be'],
  ['--seconds 601', '--seconds must be'],
] as const)('"%s" ends with one line that says what to do', ([line, text]) => {
  const answer = parse(line)
  expect(answer).toMatchObject({ exit: 2, text: expect.stringContaining(text) })
  expect(answer).toMatchObject({ text: expect.stringMatching(/^compare: [^\n]*See npm run compare -- --help\.$/) })
})
