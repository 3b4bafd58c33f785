import { readFileSync } from 'node:fs'
import { type CliExit, usageError } from './flags.ts'
import { nearest } from './nearest.ts'
import { print } from './print.ts'

/** Runs a command with the arguments after its name; resolves with the exit code once it has ended. */
type Run = (argv: readonly string[], env: NodeJS.ProcessEnv) => Promise<number>

const COMMANDS: Record<string, { about: string; load: () => Promise<Run> }> = {
  start: { about: 'runs Madang', load: async () => (await import('./start.ts')).runStart },
  log: { about: 'shows the events of a room', load: async () => (await import('./history.ts')).runLog },
  replay: {
    about: 'shows a room at any moment, as any viewer saw it',
    load: async () => (await import('./history.ts')).runReplay,
  },
  verify: {
    about: 'replays every stored room and says what does not fit',
    load: async () => (await import('./verify.ts')).runVerify,
  },
}

/** Runs `madang ARGV…` and sets the process's exit code. */
export const main = async (argv: readonly string[]): Promise<void> => {
  const [name = '--help', ...rest] = argv
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    process.exitCode = print(withoutCommand(name))
    return
  }
  const run = await command.load()
  process.exit(await run(rest, process.env))
}

const withoutCommand = (name: string): CliExit => {
  if (name === '--help' || name === '-h' || name === 'help') return { exit: 0, text: overview() }
  if (name === '--version' || name === '-v') return { exit: 0, text: version() }
  const near = nearest(name, Object.keys(COMMANDS))
  return usageError(`unknown command ${name}.${near === null ? '' : ` Did you mean ${near}?`} See madang --help.`)
}

const overview = (): string => {
  const rows = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(10)}${about}`)
  return `Usage: madang COMMAND [FLAGS]\n\n${rows.join('\n')}\n\nmadang COMMAND --help says more; madang --version says which version this is.`
}

const version = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return manifest !== null && typeof manifest === 'object' && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}

if (import.meta.main) await main(process.argv.slice(2))
