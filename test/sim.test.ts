import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { BREAKS } from './sim/breaks.ts'
import { loadSimGames } from './sim/games.ts'
import { simulate } from './sim/simulate.ts'

const RUN = join(import.meta.dirname, 'sim/run.ts')
const SEEDS = 200
const SEEDS_PER_TEST = 50
/** The rarest breaks, of claims, beats and reads, show in one world of a hundred. */
const SEEDS_PER_BREAK = 300
/** Each must have happened in the 200 worlds together: a fault that never comes proves nothing. */
const HAPPENS = [
  'crashes',
  'orderly restarts',
  'gateways restarted',
  'gateways crashed',
  'pauses',
  'cuts between machines',
  'cuts for longer than a lease',
  'messages cut off',
  'messages late by a cut',
  'media nodes crashed',
  'flows',
  'clocks stepped',
  'ledger without a leader',
  'ledger silent',
  'posts lost',
  'puts fenced',
  'zombies landed',
  'zombies fenced',
  'fenced',
  'claims',
  'fates unknown',
  'not stored',
  'snapshots',
  'envelopes lost',
  'envelopes doubled',
  'requests lost',
  'requests doubled',
  'links cut',
  'links half dead',
  'upgrades swallowed',
  'reconnects',
  'impatient repeats',
  'STATE',
  'PATCH',
  'EMIT',
  'live rooms replayed',
  'create done',
  'match done',
  'join done',
  'leave done',
  'kick done',
  'start done',
  'again done',
  'use auto done',
  'use websocket done',
  'use sse done',
  'use longpoll done',
  'use poll done',
  'mark done',
  'set done',
  'vote done',
  'refused: illegal_move',
  'refused: invalid_payload',
  'refused: forbidden',
  'refused: unavailable',
]

const games = await loadSimGames()
const total = new Map<string, number>()

describe('P1 to P5: worlds of engines and gateways that crash and are paused, of cut links and lost messages keep all five promises', () => {
  const starts = Array.from({ length: SEEDS / SEEDS_PER_TEST }, (_, i) => 1 + i * SEEDS_PER_TEST)
  test.each(starts)(`from seed %i on, ${SEEDS_PER_TEST} seeds`, { timeout: 300_000 }, async (start) => {
    for (let seed = start; seed < start + SEEDS_PER_TEST; seed++) {
      const { timeline, counters } = await simulate(seed, games)
      for (const [what, count] of Object.entries(counters)) total.set(what, (total.get(what) ?? 0) + count)
      const [failure] = timeline.failures
      if (failure === undefined) continue
      const { promise, room, at, what } = failure
      const lines = timeline.of(room, at, 40)
      throw new Error(`${promise} at ${at} ms: ${what}\nnpm run sim -- --seed ${seed} shows it again.\n${lines}`)
    }
  })

  test('every fault and every kind of request happened in them', () => {
    expect(HAPPENS.filter((what) => (total.get(what) ?? 0) === 0)).toEqual([])
  })
})

const run = (...args: string[]) => promisify(execFile)(process.execPath, [RUN, ...args])

test('a seed gives the same history each time, in this process and in another one', async () => {
  const [once, again, other] = [await simulate(7, games), await simulate(7, games), await simulate(8, games)]
  expect(again.hash).toBe(once.hash)
  expect(other.hash).not.toBe(once.hash)
  const { stdout } = await run('--seed', '7', '--hash')
  expect(stdout).toContain(`seed 7 ${once.hash}`)
})

test('npm run sim says what it takes and what can be broken, and refuses anything else in one line', async () => {
  const { stdout } = await run('--help')
  for (const name of ['--seed', '--runs', '--first', '--hash', '--break', ...Object.keys(BREAKS)])
    expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
  for (const [args, stderr] of [
    [['--sed', '3'], /^sim: Unknown option '--sed'\. See .*--help\.\n$/],
    [['--seed', 'x'], /^sim: --seed must be a whole number of 0 or more, not "x"\. See .*--help\.\n$/],
    [['--runs', '0'], /^sim: --runs must be a whole number of 1 or more, not "0"\. See .*--help\.\n$/],
    [['--break', 'all'], /^sim: nothing is called "all" that could be broken\. See .*--help\.\n$/],
  ] as const)
    await expect(run(...args)).rejects.toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(stderr) })
})

describe('the checks bite: a world is caught in which', () => {
  test.each(Object.entries(BREAKS).map(([name, { what }]) => ({ name, what })))(
    '$what (--break $name)',
    { timeout: 300_000 },
    async ({ name }) => {
      const { stdout } = await run('--break', name, '--runs', String(SEEDS_PER_BREAK), '--first')
      expect(stdout).toMatch(/caught by 1 of/)
    },
  )
})
