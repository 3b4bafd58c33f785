import { parseArgs } from 'node:util'
import { messageOf } from '../../protocol/errors.ts'
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

const HELP = `Usage: npm run faults -- [OPTIONS]

Plays on a real cluster on this machine (three nats-servers, two gateways, two engines, two media nodes) while processes are
killed, paused and cut off, ${ROUND.length} times a round of about 3 minutes; then holds every acknowledged move against the log.

  --rounds N  how many rounds (default 1)
  --help      this text`

const row = ({ what, times, kills, longestMs }: Struck) =>
  `| ${what} | ${times} | ${kills} | ${(longestMs / 1000).toFixed(1)} s |`

const given = (): { rounds: string; help: boolean } => {
  try {
    const options = { rounds: { type: 'string', default: '1' }, help: { type: 'boolean', default: false } } as const
    return parseArgs({ options }).values
  } catch (error) {
    return refuse(messageOf(error))
  }
}

/** Ends the program with one line that says what is wrong with its arguments. */
const refuse = (problem: string): never => {
  console.error(`faults: ${problem} See npm run faults -- --help.`)
  process.exit(2)
}

const main = async (): Promise<void> => {
  const { rounds: text, help } = given()
  if (help) return console.log(HELP)
  const rounds = Number(text)
  if (!/^[1-9]\d{0,3}$/.test(text)) refuse(`--rounds must be a whole number from 1, not "${text}".`)
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
