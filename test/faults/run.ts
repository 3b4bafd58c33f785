import { parseArgs } from 'node:util'
import { startCluster } from './cluster.ts'
import { allGone, cutOff, type Fault, killed, leaderKilled, leaderPaused, paused, stopped } from './faults.ts'
import { playThrough, type Struck } from './play.ts'

/** One of each, and more of what is likelier. Streams: the ledger's, and one of the log's. */
export const ROUND: readonly Fault[] = [
  killed('engine'),
  killed('gateway'),
  killed('media'),
  leaderKilled('KV_madang_ledger', 'the ledger'),
  killed('engine'),
  leaderKilled('EV_0', 'a stream of the log'),
  killed('gateway'),
  paused('engine', 15_000),
  killed('engine'),
  cutOff('engine', 8_000),
  stopped('engine'),
  stopped('gateway'),
  paused('gateway', 8_000),
  leaderPaused('KV_madang_ledger', 'the ledger', 6_000),
  cutOff('gateway', 6_000),
  allGone(5_000),
]

const USAGE = `npm run faults -- [--rounds N] [--durability LEVEL]

Plays on a real cluster on loopback (three nats-servers, two gateways, two engines, two media nodes) while processes are killed,
paused and cut off, ${ROUND.length} times a round; then holds every acknowledged move against the log. Ends with a table.
`

const row = ({ what, times, kills, longestMs }: Struck) =>
  `| ${what} | ${times} | ${kills} | ${(longestMs / 1000).toFixed(1)} s |`

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '1' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return void process.stdout.write(USAGE)
  const rounds = Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new RangeError('--rounds must be a whole number from 1')
  await using cluster = await startCluster({ nats: 3, gateways: 2, engines: 2, media: 2 })
  const faults = Array.from({ length: rounds }, () => ROUND).flat()
  const say = (line: string) => console.log(line)
  const { moves, rooms, lost, doubled, forks, struck } = await playThrough(cluster, faults, { tables: 6, say })
  const kills = struck.reduce((sum, each) => sum + each.kills, 0)
  console.log(
    [
      '',
      '| what | times | kills | longest time without a move at a table |',
      '|---|---|---|---|',
      ...struck.map(row),
      '',
      `${faults.length} faults, ${kills} kills; ${moves} acknowledged moves in ${rooms} rooms: ${lost.length} lost, ${doubled.length} doubled, ${forks.length} forks.`,
      ...[...lost, ...doubled, ...forks].slice(0, 50),
    ].join('\n'),
  )
  if (lost.length + doubled.length + forks.length > 0) process.exitCode = 1
}

if (import.meta.main) await main()
