import { parseArgs } from 'node:util'
import { BREAKS, breakSources } from './breaks.ts'
import type { Outcome } from './simulate.ts'

const USAGE = `npm run sim -- [--seed N] [--runs N] [--hash] [--first] [--break ${Object.keys(BREAKS).join('|')}]`
/** Lines of the timeline that are shown of a failure. */
const LINES = 60

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    break: { type: 'string' },
    // Prints the hash of each history.
    hash: { type: 'boolean', default: false },
    // Ends with the first seed that fails.
    first: { type: 'boolean', default: false },
  },
})
const [first, runs] = [Number(values.seed), Number(values.runs)]
const broken = values.break === undefined ? null : BREAKS[values.break]
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(runs) || runs < 1 || broken === undefined) {
  console.error(USAGE)
  process.exit(2)
}

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
