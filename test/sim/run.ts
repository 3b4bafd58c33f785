import { parseArgs } from 'node:util'
import { BREAKS, breakSources } from './breaks.ts'
import type { Outcome } from './simulate.ts'

const HELP = `Usage: npm run sim -- [OPTIONS]

Plays worlds of crashes, lost messages and cut connections, each from its seed, and says which promise one broke.

  --seed N      the first seed (default 1)
  --runs N      how many seeds from there on (default 1)
  --first       end with the first seed that fails
  --hash        print the hash of each history: equal seeds give equal ones
  --break NAME  take away something that a promise rests on; then a seed should fail
  --help        this text

What can be broken:

${Object.entries(BREAKS)
  .map(([name, { what }]) => `  ${name.padEnd(12)}${what}`)
  .join('\n')}`
/** Lines of the timeline that are shown of a failure. */
const LINES = 60

/** Ends the program with one line that says what is wrong with its arguments. */
const refuse = (problem: string): never => {
  console.error(`sim: ${problem} See npm run sim -- --help.`)
  process.exit(2)
}

const given = () => {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string', default: '1' },
        runs: { type: 'string', default: '1' },
        first: { type: 'boolean', default: false },
        hash: { type: 'boolean', default: false },
        break: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    // The first sentence says it; those after it speak of what there is none of here.
    return refuse(`${error instanceof Error ? error.message.split(/\.?(?: |\n)(?=[A-Z])/)[0] : error}.`)
  }
}

/** The value of an option that is a whole number of `least` or more; refuses any other. */
const wholeNumber = (option: 'seed' | 'runs', least: number): number => {
  const text = values[option]
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number
  return refuse(`--${option} must be a whole number of ${least} or more, not "${text}".`)
}

const values = given()
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const [first, runs] = [wholeNumber('seed', 0), wholeNumber('runs', 1)]
const broken =
  values.break === undefined
    ? null
    : (BREAKS[values.break] ?? refuse(`nothing is called "${values.break}" that could be broken.`))

if (broken !== null) breakSources(broken)
// Only now: what they load may be broken.
const { loadSimGames } = await import('./games.ts')
const { simulate } = await import('./simulate.ts')
const loaded = await loadSimGames()
const games = broken?.games?.(loaded) ?? loaded

const show = ({ seed, timeline }: Outcome): void => {
  for (const { promise, room, at, what } of timeline.failures)
    console.log(`seed ${seed}  ${promise}  at ${at} ms  room ${room ?? '-'}\n  ${what.slice(0, 1_000)}`)
  const [failure] = timeline.failures
  if (failure !== undefined) console.log(timeline.of(failure.room, failure.at, LINES))
}

const total: Record<string, number> = {}
const caught: string[] = []
let failed = 0
for (let seed = first; seed < first + runs; seed++) {
  const outcome = await simulate(seed, games, broken?.store ?? null)
  const { failures } = outcome.timeline
  for (const [what, count] of Object.entries(outcome.counters)) total[what] = (total[what] ?? 0) + count
  if (values.hash) console.log(`seed ${seed} ${outcome.hash}`)
  if (failures.length === 0) continue
  failed += 1
  caught.push(`${seed} (${[...new Set(failures.map(({ promise }) => promise))].join(' ')})`)
  if (broken === null || runs === 1) show(outcome)
  if (values.first) break
}

for (const [what, count] of Object.entries(total).sort(([a], [b]) => (a < b ? -1 : 1))) console.log(`${what}: ${count}`)
if (broken === null) {
  console.log(`${runs} ${runs === 1 ? 'seed' : 'seeds'} from ${first}: ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
} else {
  console.log(`break ${values.break}, ${broken.what}: caught by ${failed} of ${runs} seeds: ${caught.join(', ')}`)
  process.exitCode = failed === 0 ? 1 : 0
}
