// `npm run compare`: the same game over WebSocket, SSE, long polling and polling, into docs/transports.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { print } from '../../cli/print.ts'
import { circumstances } from '../bench/circumstances.ts'
import { writeSections } from '../bench/page.ts'
import { parseArguments } from './arguments.ts'
import { compare } from './compare.ts'

const CHARTS = fileURLToPath(new URL('../../docs/transports/', import.meta.url))

/** Resolves with the exit code: 0, or 2 for a wrong command line or a system on which it cannot run. */
const main = async (argv: readonly string[]): Promise<number> => {
  const plan = parseArguments(argv)
  if ('exit' in plan) return print(plan)
  if (process.platform !== 'linux')
    return print({ exit: 2, text: 'compare: what the server costs is read from /proc: run it on Linux.' })
  process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))
  const how = circumstances(['npm run compare', ...(argv.length > 0 ? ['--', ...argv] : [])].join(' '))
  console.log(how)
  const { sections, charts } = await compare(plan, openFiles(), (line) => console.log(line))
  const places = Object.entries(sections).map(([name, text]) => [`compare:${name}`, `<sub>${how}</sub>\n\n${text}`])
  writeSections('transports.md', Object.fromEntries(places))
  mkdirSync(CHARTS, { recursive: true })
  for (const [name, svg] of Object.entries(charts)) writeFileSync(join(CHARTS, name), svg)
  console.log('\ndocs/transports.md and its charts are written.')
  return 0
}

/** How many files a process may open here. */
const openFiles = (): number =>
  Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 1_024)

process.exit(await main(process.argv.slice(2)))
