// `npm run loadtest`: a k6 scenario against a server of its own, or one that is there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { print } from '../cli/print.ts'
import { findOrBuildK6 } from '../scripts/k6.mjs'
import { Problem } from '../scripts/problem.mjs'
import { type Program, startMadang } from '../test/program.ts'
import { type LoadTest, parseArguments } from './arguments.ts'
import { bundle, scenarios } from './bundle.ts'

const REACH_MS = 5_000

/** Resolves with the exit code: 0; 1 where a threshold was crossed or it could not run; 2 for a wrong command line. */
const main = async (argv: readonly string[]): Promise<number> => {
  const asked = parseArguments(argv, scenarios())
  if ('exit' in asked) return print(asked)
  try {
    if (asked.url !== null) await reach(asked.url)
    const k6 = await findOrBuildK6((line) => console.error(line))
    return await runScenario(k6, asked)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    console.error(`loadtest: ${error.message}`)
    return 1
  }
}

/** Throws Problem where no server is ready at `url`. */
const reach = async (url: string): Promise<void> => {
  const said = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(REACH_MS) }).then(
    ({ ok, status }) => (ok ? null : `/readyz answers ${status}`),
    () => 'no answer',
  )
  if (said === null) return
  throw new Problem(`No Madang is ready at ${url} (${said}). Start it there with npm start, or leave out --url.`)
}

const runScenario = async (k6: string, { scenario, url, vus, seconds }: LoadTest): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'madang-loadtest-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))
  const script = join(folder, `${scenario}.js`)
  await bundle(scenario, script)

  const own = url === null ? await startServer(join(folder, 'data')) : null
  const target = own?.url ?? url ?? ''
  console.log(
    `${scenario}: virtual users ${vus}, seconds ${seconds}, on ${own === null ? '' : 'its own server, '}${target}`,
  )
  const child = spawn(k6, ['run', ...QUIET, ...variables({ URL: target, VUS: vus, SECONDS: seconds }), script], {
    env: { ...process.env, K6_AUTO_EXTENSION_RESOLUTION: 'false' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const [code] = await once(child, 'exit')
  await own?.kill('SIGTERM')
  if (code !== 0 && own !== null) console.error(`The server said:\n${own.output()}`)
  return code === 0 ? 0 : 1
}

const startServer = (data: string): Promise<Program> =>
  startMadang(['--data', data, '--guests', '--log-level', 'warn']).catch((error: Error) => {
    throw new Problem(error.message)
  })

/** No report to k6's makers, no REST server, no progress bar. */
const QUIET = ['--no-usage-report', '--address=', '--quiet']

const variables = (values: Record<string, string | number>): string[] =>
  Object.entries(values).flatMap(([name, value]) => ['--env', `${name}=${value}`])

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
