import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { findOrBuildK6 } from '../scripts/k6.mjs'
import { temporaryFolder, until } from '../test/program.ts'
import { bundle, scenarios } from './bundle.ts'

const RUN = fileURLToPath(new URL('run.ts', import.meta.url))
/** A new machine builds k6 first, slowly where much else runs. */
const BUILD_MS = 25 * 60_000

let k6 = ''
beforeAll(async () => {
  k6 = await findOrBuildK6((line) => console.error(line))
}, BUILD_MS)

const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill('SIGTERM')
})

const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const child = spawn(process.execPath, [RUN, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (printed += text))
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return { code, printed }
  })
  return { child, ended, printed: () => printed }
}

test('smoke: guests are matched and play whole games over the real server without an error; nothing is left behind', async () => {
  using folder = temporaryFolder()
  const { code, printed } = await start(['smoke', '--vus', '2', '--duration', '6'], { TMPDIR: folder.path }).ended
  expect(printed).toMatch(/errors +0\n/)
  expect(printed).toMatch(/thresholds +/)
  const [, joins = '0'] = /joins +(\d+)/.exec(printed) ?? []
  const [, games = '0'] = /games finished +(\d+)/.exec(printed) ?? []
  const [, moves = '0'] = /move to ack +p50 .*\((\d+)\)/.exec(printed) ?? []
  expect(Number(games)).toBeGreaterThanOrEqual(2)
  expect(Number(joins)).toBe(2 * Number(games))
  expect(Number(moves)).toBeGreaterThanOrEqual(5 * Number(games))
  expect(printed).toMatch(/move to sight +p50/)
  // How fast is another question while all tests run at once; what is crossed must show in the exit code.
  expect(printed).not.toMatch(/crossed: .*(>0|==0)/)
  expect(code).toBe(printed.includes('all kept') ? 0 : 1)
  expect(readdirSync(folder.path)).toEqual([])
})

test('a server that lets nobody in ends the run with exit code 1 and the errors by code, without being stormed', async () => {
  let asked = 0
  const server = createServer((request, response) => {
    if (request.url === '/v1/guests') asked++
    response.writeHead(request.url === '/readyz' ? 200 : 403).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { code, printed } = await start(['smoke', '--url', url, '--vus', '2', '--duration', '2']).ended
  server.close()
  expect(code).toBe(1)
  expect(printed).toContain('no_guest: POST /v1/guests: 403')
  expect(printed).toMatch(/errors +(\d+), no_guest \1\n/)
  expect(printed).toMatch(/crossed: .*games_finished count>0/)
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThanOrEqual(2 * 2 * 3)
})

test('SIGTERM in the middle ends k6 and the server, and leaves no folder', async () => {
  using folder = temporaryFolder()
  const run = start(['smoke', '--vus', '1', '--duration', '60'], { TMPDIR: folder.path })
  const [, url = ''] = await until(() => /own server, (\S+)\n/.exec(run.printed()), 'the server')
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  run.child.kill('SIGTERM')
  expect((await run.ended).code).toBe(143)
  await until(
    () =>
      fetch(`${url}/readyz`).then(
        () => false,
        () => true,
      ),
    'the end of the server',
  )
  expect(readdirSync(folder.path)).toEqual([])
})

test('what stands in the way is said in one line', async () => {
  using folder = temporaryFolder()
  const [programs, cache] = [join(folder.path, 'programs'), join(folder.path, 'cache')]
  mkdirSync(programs)
  symlinkSync('/usr/bin/nice', join(programs, 'nice'))
  const bare = { PATH: programs, K6: '', XDG_CACHE_HOME: cache }
  const cases = [
    [
      ['smoke', '--url', 'http://127.0.0.1:1'],
      {},
      1,
      /^loadtest: No Madang is ready at http:\/\/127\.0\.0\.1:1 \(no answer\)\..*--url\.\n$/,
    ],
    [['smoke'], { K6: '/nowhere/k6' }, 1, /^loadtest: K6 names \/nowhere\/k6, which is no k6 2 or later .*\n$/],
    [['smoke'], bare, 1, /\nloadtest: Load tests need k6, and there is neither a k6 2 nor a Go .* install Go .*\n$/],
    [['storm'], {}, 2, /^loadtest: unknown scenario "storm"\. Known: smoke\. .*\n$/],
  ] as const
  for (const [args, env, code, printed] of cases)
    expect(await start(args, env).ended).toEqual({ code, printed: expect.stringMatching(printed) })
})

test.for(scenarios())('%s is bundled into one module that only imports from k6, and k6 takes it', async (scenario) => {
  using folder = temporaryFolder()
  const file = join(folder.path, 'bundle.js')
  await bundle(scenario, file)
  const source = readFileSync(file, 'utf8')
  const imported = [...source.matchAll(/^\s*(?:import|export)\b[^;]*?\bfrom\s*"([^"]+)"/gm)].map((match) => match[1])
  expect(imported.length).toBeGreaterThan(0)
  for (const module of imported) expect(module).toMatch(/^k6(\/|$)/)
  expect(source).not.toMatch(/\brequire\(|["']node:/)
  const options = JSON.parse(execFileSync(k6, ['inspect', '--env', 'VUS=3', file], { encoding: 'utf8' }))
  expect(options.scenarios[scenario]).toMatchObject({ vus: 3, duration: '1s' })
  expect(options.thresholds).toMatchObject({
    errors: ['count==0'],
    games_finished: ['count>0'],
    move_to_ack: ['max>0', 'p(95)<100'],
    move_to_sight: ['max>0', 'p(95)<100'],
  })
})
