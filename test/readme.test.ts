import { execFile, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findOrInstallNats } from '../scripts/nats-server.mjs'
import { startNats } from './nats-server.ts'
import { type Program, startMadang, temporaryFolder } from './program.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const blocks = [...README.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? '')
const [rules = '', app = ''] = blocks
const cluster = /^scripts\/get-nats\.sh [\s\S]*?(?=```)/m.exec(README)?.[0].trim().split('\n') ?? []

const running: Program[] = []
afterAll(async () => {
  for (const program of running) await program.kill()
})

// Inside the checkout, so that `madang/rules` and the packages are found as in a project that depends on Madang; where no other test looks.
let folder = ''
beforeAll(() => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true })
  folder = mkdtempSync(join(ROOT, '.cache', 'readme-'))
  mkdirSync(join(folder, 'games', 'race'), { recursive: true })
  writeFileSync(join(folder, 'games', 'race', 'rules.ts'), rules)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("the README's game and SDK example compile under the strictest settings", () => {
  writeFileSync(join(folder, 'app.ts'), app)
  const config = { extends: '../../tsconfig.json', include: ['.'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const { stdout, status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})

test("the README's SDK example plays the README's game to its end", async () => {
  using data = temporaryFolder()
  const games = `${join(folder, 'games')},games`
  const program = await startMadang(['--data', data.path, '--games', games])
  const file = join(folder, 'race.ts')
  writeFileSync(file, app.replace('http://localhost:3000', program.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file])
  expect(stderr).toBe('')
  const lines = stdout.trim().split('\n')
  expect(lines[0]).toMatch(/^(open|playing) /)
  expect(lines.at(-1)).toMatch(/^over .*\b1[0-5]\b/)
  await program.kill('SIGTERM')
})

test("the README's line for NATS installs the version that is tested, and nats-server takes its flags", async () => {
  const [, version, place, command = ''] = /^scripts\/get-nats\.sh (\S+) (\S+) && (.*)$/.exec(cluster[0] ?? '') ?? []
  expect(readFileSync(join(ROOT, 'scripts', 'nats-server.mjs'), 'utf8')).toContain(`VERSION = '${version}'`)
  const [program, ...flags] = command.split(' ')
  expect(program).toBe(place)
  const nats = await findOrInstallNats((line) => console.error(line))
  const server = spawn(nats, [...flags, '-p', '-1'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  for await (const text of server.stderr.setEncoding('utf8')) {
    said += text
    if (/Server is ready/.test(said)) server.kill()
  }
  expect(said).toMatch(
    /Starting JetStream[\s\S]*Listening for client connections on 127\.0\.0\.1[\s\S]*Server is ready/,
  )
})

test("the README's several processes play its game, of each player at another gateway, and go on when an engine is killed", {
  timeout: 180_000,
}, async () => {
  await using nats = await startNats()
  const commands = cluster.slice(1).map((line) => line.replace('npm start -- ', '').replace(/ --port \d+/, ''))
  expect(commands.filter((line) => line.endsWith('gateway'))).toHaveLength(2)
  const games = `${join(folder, 'games')},games`
  const programs = await Promise.all(
    commands.map(async (line) => {
      const args = line.replace(/nats:\S+/, nats.url).split(' ')
      const program = await startMadang([...args, '--games', games, '--media-port', '0'])
      running.push(program)
      return program
    }),
  )
  const [one = '', other = ''] = programs.flatMap(({ url }) => (url === '' ? [] : [url]))
  const [engine] = programs
  const file = join(folder, 'cluster.ts')
  const twoGateways = app
    .replace('http://localhost:3000', one)
    .replace("{ url, guest: 'Bob'", `{ url: '${other}', guest: 'Bob'`)
  expect(twoGateways).toContain(other)
  writeFileSync(file, twoGateways)
  const played = promisify(execFile)(process.execPath, [file])
  played.child.stdout?.once('data', () => void engine?.kill())
  const { stdout, stderr } = await played
  expect(stderr).toBe('')
  expect(stdout.trim().split('\n').at(-1)).toMatch(/^over .*\b1[0-5]\b/)
  for (const program of programs.slice(1)) expect(await program.kill('SIGTERM'), program.output()).toBe(0)
})
