import { parseArgs } from 'node:util'
import type { CliExit } from '../../cli/flags.ts'
import { SEATS } from './crowd.ts'

/** How large a comparison is. */
export interface Plan {
  /** Rooms of eight players for each transport while bytes are counted. */
  rooms: number
  idleSeconds: number
  /** Moves a second and room at which bytes are counted. */
  rates: readonly number[]
  /** How long each rate and each number of players is played. */
  seconds: number
  /** Numbers of players, rising, with which latency and CPU are measured. */
  players: readonly number[]
  /** Moves a second and room meanwhile. */
  moves: number
  /** Numbers of spectators for memory. */
  spectators: readonly number[]
  /** How long they are left alone before memory is read. */
  settleSeconds: number
}

const MOST_PLAYERS = 20_000
const MOST_SECONDS = 600

/**
 * 150 s idle: a whole number of PINGs (10 s), heartbeats (15 s) and held polls (25 s). 12 s to settle: what is remembered of a
 * player's rate is swept after 5 s, and an HTTP connection that rests is closed after 10 s.
 */
const FULL: Plan = {
  rooms: 4,
  idleSeconds: 150,
  rates: [0.5, 1, 4],
  seconds: 10,
  players: [80, 400, 1_200, 2_000, 2_800, 4_000, 5_600, 7_200, 9_600, 12_800],
  moves: 4,
  spectators: [400, 800, 1_600],
  settleSeconds: 12,
}

const QUICK: Plan = {
  ...FULL,
  rooms: 2,
  idleSeconds: 30,
  seconds: 3,
  players: [80, 400, 1_200],
  spectators: [200, 400],
}

/** What a command line asks for, or what to print instead: help (exit 0), or what is wrong with it (2). Pure. */
export const parseArguments = (argv: readonly string[]): Plan | CliExit => {
  let values: ReturnType<typeof readLine>['values']
  try {
    values = readLine(argv).values
  } catch (error) {
    return wrong(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error))
  }
  if (values.help) return { exit: 0, text: HELP }
  const plan = values.quick ? { ...QUICK } : { ...FULL }
  if (values.seconds !== undefined) {
    const seconds = /^\d{1,4}$/.test(values.seconds) ? Number(values.seconds) : 0
    if (seconds < 1 || seconds > MOST_SECONDS)
      return wrong(`--seconds must be a whole number from 1 to ${MOST_SECONDS}, not "${values.seconds}"`)
    plan.seconds = seconds
  }
  if (values.players !== undefined) {
    const players = values.players.split(',').map((text) => (/^\d{1,5}$/.test(text) ? Number(text) : 0))
    const isRising = players.every((count, i) => count > (players[i - 1] ?? 0))
    if (!isRising || players.some((count) => count % SEATS !== 0 || count > MOST_PLAYERS))
      return wrong(
        `--players must be rising multiples of ${SEATS} up to ${MOST_PLAYERS}, such as 80,400, not "${values.players}"`,
      )
    plan.players = players
  }
  return plan
}

const readLine = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      players: { type: 'string' },
      seconds: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })

const wrong = (problem: string): CliExit => ({ exit: 2, text: `compare: ${problem}. See npm run compare -- --help.` })

const HELP = `Usage: npm run compare [-- FLAGS]

Plays the same game over WebSocket, SSE, long polling and polling, and writes what each costs and how fast it is
into docs/transports.md and docs/transports/*.svg. Linux only. Takes about a quarter of an hour.

  --quick       shorter and rougher, about two minutes
  --players L   numbers of players with which latency and CPU are measured, rising multiples of ${SEATS}
                (default ${FULL.players.join()})
  --seconds N   how long each of them plays, 1 to ${MOST_SECONDS} (default ${FULL.seconds})
  --help        this`
