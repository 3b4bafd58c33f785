import { expect, test } from 'vitest'
import { parseArguments } from './arguments.ts'

const parse = (line: string) => parseArguments(line.split(' ').filter(Boolean), ['crowd', 'smoke'])

test('a scenario alone runs with ten virtual users for ten seconds on a server of its own', () => {
  expect(parse('smoke')).toEqual({ scenario: 'smoke', url: null, vus: 10, seconds: 10 })
})

test.for([
  ['smoke --vus 2 --duration 600', { vus: 2, seconds: 600 }],
  ['--vus=50 smoke', { vus: 50 }],
  ['smoke --url http://localhost:3000/', { url: 'http://localhost:3000' }],
  ['smoke --url http://127.0.0.1:4000', { url: 'http://127.0.0.1:4000' }],
  ['smoke --url https://[::1]:4000', { url: 'https://[::1]:4000' }],
] as const)('%s is understood', ([line, part]) => {
  expect(parse(line)).toMatchObject(part)
})

test('--help lists the flags and the scenarios', () => {
  expect(parse('--help')).toMatchObject({ exit: 0, text: expect.stringMatching(/crowd, smoke.*--vus.*--duration/s) })
})

test.for([
  ['', 'a scenario is missing. Known: crowd, smoke'],
  ['smok', 'unknown scenario "smok". Known: crowd, smoke'],
  ['smoke crowd', 'unexpected "crowd"'],
  ['smoke --users 3', "Unknown option '--users'"],
  ['smoke --vus', "Option '--vus <value>' argument missing"],
  ['smoke --vus 0', '--vus must be a whole number from 1 to 50, not "0"'],
  ['smoke --vus 51', '--vus must be'],
  ['smoke --vus 1.5', '--vus must be'],
  ['smoke --duration 601', '--duration must be whole seconds from 1 to 600, not "601"'],
  ['smoke --duration 10s', '--duration must be'],
  ['smoke --url localhost:3000', '--url must be'],
  ['smoke --url ws://localhost:3000', '--url must be'],
  ['smoke --url http://madang.example', 'a server on this machine'],
] as const)('"%s" ends with one line that says what to do', ([line, text]) => {
  const answer = parse(line)
  expect(answer).toMatchObject({ exit: 2, text: expect.stringContaining(text) })
  expect(answer).toMatchObject({ text: expect.stringMatching(/^loadtest: [^\n]*See npm run loadtest -- --help\.$/) })
})
