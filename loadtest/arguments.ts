import { parseArgs } from 'node:util'
import { isLoopback } from '../cli/config.ts'
import type { CliExit } from '../cli/flags.ts'

export interface LoadTest {
  scenario: string
  /** Null: a server of its own. */
  url: string | null
  vus: number
  seconds: number
}

const MOST = { vus: 50, seconds: 600 } as const
const DEFAULTS = { vus: '10', duration: '10' } as const

/** What a command line asks for, or what to print instead: help (exit 0), or what is wrong with it (2). Pure. */
export const parseArguments = (argv: readonly string[], known: readonly string[]): LoadTest | CliExit => {
  let line: ReturnType<typeof readLine>
  try {
    line = readLine(argv)
  } catch (error) {
    return wrong(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error))
  }
  const { values, positionals } = line
  if (values.help) return { exit: 0, text: help(known) }
  const [scenario, extra] = positionals
  const list = `Known: ${known.join(', ')}`
  if (scenario === undefined) return wrong(`a scenario is missing. ${list}`)
  if (!known.includes(scenario)) return wrong(`unknown scenario "${scenario}". ${list}`)
  if (extra !== undefined) return wrong(`unexpected "${extra}": one scenario at a time`)
  const vus = wholeUpTo(MOST.vus, values.vus)
  if (vus === null) return wrong(`--vus must be a whole number from 1 to ${MOST.vus}, not "${values.vus}"`)
  const seconds = wholeUpTo(MOST.seconds, values.duration)
  if (seconds === null)
    return wrong(`--duration must be whole seconds from 1 to ${MOST.seconds}, not "${values.duration}"`)
  if (values.url === undefined) return { scenario, url: null, vus, seconds }
  const url = originOf(values.url)
  if (url === null)
    return wrong(
      `--url must be the address of a server on this machine, such as http://localhost:3000, not "${values.url}"`,
    )
  return { scenario, url, vus, seconds }
}

const readLine = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      vus: { type: 'string', default: DEFAULTS.vus },
      duration: { type: 'string', default: DEFAULTS.duration },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })

const wholeUpTo = (most: number, text: string): number | null => {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0
  return number >= 1 && number <= most ? number : null
}

/** Load goes to this machine only: elsewhere somebody else would have to bear it. */
const originOf = (text: string): string | null => {
  if (!URL.canParse(text)) return null
  const { protocol, hostname, origin } = new URL(text)
  return /^https?:$/.test(protocol) && isLoopback(hostname.replace(/^\[|\]$/g, '')) ? origin : null
}

const wrong = (problem: string): CliExit => ({ exit: 2, text: `loadtest: ${problem}. See npm run loadtest -- --help.` })

const help = (known: readonly string[]): string => `Usage: npm run loadtest -- SCENARIO [FLAGS]

Runs a k6 scenario against Madang. Exit code 1 where a threshold was crossed. Scenarios: ${known.join(', ')}.

  --url URL     a server on this machine (default: one of its own, with a temporary data folder)
  --vus N       virtual users at once, 1 to ${MOST.vus}; in smoke, each is a pair of guests (default ${DEFAULTS.vus})
  --duration S  seconds after which no new games begin, 1 to ${MOST.seconds} (default ${DEFAULTS.duration})
  --help        this

k6 is the one that K6 names, the one on PATH, or one built with Go into the user's cache folder.`
