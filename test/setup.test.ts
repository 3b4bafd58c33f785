import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { countTests, totalsLine } from '../scripts/checks.mjs'
import { dependenciesReady, notInstalled, npmProblem } from '../scripts/dependencies.mjs'
import { libcProblem, needsPatchedUws } from '../scripts/libc.mjs'
import { withLock } from '../scripts/lock.mjs'
import { abiOf } from '../scripts/node-runtime.mjs'
import { nodeProblem } from '../scripts/node-version.mjs'
import { pageReady } from '../scripts/page.mjs'
import { setUp } from '../scripts/setup.mjs'
import { judgeUws, uwsFile } from '../scripts/uws.mjs'
import { makeCheckout } from './checkout.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

let folder = ''
const children: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'madang-setup-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const write = (path: string, text: string) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

const setUpHere = async () => {
  const lines: string[] = []
  const ready = await setUp(folder, (line) => lines.push(line))
  return { ready, lines }
}

/** Runs a script of set-up as its users do, and resolves with how it ended. */
const runScript = async (args: string[], options: { env?: NodeJS.ProcessEnv; uid?: number } = {}) => {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...options })
  children.push(child)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code] = await once(child, 'close')
  return { code, said }
}

test('a Node that is too old is told what is needed', () => {
  for (const version of ['v12.22.12', 'v18.20.8', 'v19.9.0'])
    expect(nodeProblem(version)).toMatch(/^Madang needs Node 20 or newer; this is v1.*nodejs\.org\.$/)
  for (const version of ['v20.0.0', 'v24.21.0', 'v26.1.0']) expect(nodeProblem(version)).toBeNull()
})

test('Node 24 and 25 run Madang as they are; others do not', () => {
  expect(['v20.20.2', 'v22.15.0', 'v24.21.0', 'v25.2.0', 'v26.0.0'].map(abiOf)).toEqual([
    null,
    null,
    '137',
    '141',
    null,
  ])
})

test('an unsupported C library is named with the system and what to use instead', () => {
  const on = (glibc: string | null, system: string) => libcProblem({ platform: 'linux', glibc, system })
  expect(on('2.35', 'Ubuntu 22.04')).toBe(
    'Madang needs glibc 2.36 or newer; Ubuntu 22.04 has 2.35; no build of uWebSockets.js loads there. Use Debian 12, Ubuntu 24.04 or a newer system.',
  )
  expect(on(null, 'Alpine Linux 3.20')).toContain('Alpine Linux 3.20 has another C library (musl?)')
  for (const version of ['2.36', '2.39', '2.100']) expect(on(version, 'some system')).toBeNull()
  expect(on('2.4', 'an old system')).toContain('has 2.4.')
  expect(libcProblem({ platform: 'darwin', glibc: null, system: 'macOS' })).toBeNull()
  expect(['2.36', '2.37', '2.38', '2.41', null].map(needsPatchedUws)).toEqual([true, true, false, false, false])
})

test('an install that does not match the lockfile, or was cut short, is seen', () => {
  const target = { os: 'linux', cpu: 'x64', libc: 'glibc' }
  const locked = {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/bin-linux-x64': { version: '1.0.0', optional: true, os: ['linux'], cpu: ['x64'] },
    'node_modules/bin-linux-arm64': { version: '1.0.0', optional: true, os: ['linux'], cpu: ['arm64'] },
    'node_modules/bin-musl': { version: '1.0.0', optional: true, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
    'node_modules/not-windows': { version: '1.0.0', optional: true, os: ['!win32'] },
    'node_modules/for-another': { version: '1.0.0', optional: true },
  }
  const whole = {
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/bin-linux-x64': { version: '1.0.0' },
    'node_modules/not-windows': { version: '1.0.0' },
  }
  expect(notInstalled(locked, whole, target)).toEqual([])
  expect(notInstalled(locked, {}, target)).toEqual(Object.keys(whole))
  expect(notInstalled(locked, { ...whole, 'node_modules/a': { version: '1.0.1' } }, target)).toEqual(['node_modules/a'])
  expect(notInstalled(locked, whole, { ...target, cpu: 'arm64' })).toEqual(['node_modules/bin-linux-arm64'])
  expect(dependenciesReady(folder)).toBe(false)
  expect(dependenciesReady(ROOT)).toBe(true)
})

test("npm's complaints are turned into what to do", () => {
  expect(npmProblem('npm error code ECONNREFUSED\nnpm error network request failed')).toContain(
    'cannot reach its registry (ECONNREFUSED)',
  )
  expect(npmProblem('npm ERR! code EAI_AGAIN')).toContain('cannot reach its registry')
  expect(npmProblem('npm error code ENOSPC')).toContain('disk is full')
  expect(npmProblem('npm error code EACCES')).toContain('may not write here')
  expect(npmProblem('npm error code EUSAGE')).toContain('do not fit together')
  const other =
    'npm warn x\nnpm error code E404\nnpm error 404 not found\nnpm error A complete log of this run can be found in: x'
  expect(npmProblem(other)).toBe('npm ci failed: code E404 · 404 not found')
})

test('an npm ci by hand runs no install scripts either, and does not complain of the Node that the system has', () => {
  // Without what npm hands to the scripts that it runs, as this may be.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  const set = ['ignore-scripts', 'loglevel'].map((key) =>
    execFileSync('npm', ['config', 'get', key], { cwd: ROOT, env, encoding: 'utf8' }).trim(),
  )
  expect(set).toEqual(['true', 'error'])
})

test('the uWebSockets.js binary is judged by what it is: an unknown one that needs patching is refused', () => {
  const key = `${process.arch}_137`
  const binary = readFileSync(uwsFile(ROOT, '137'))
  expect(['loads', 'patch']).toContain(judgeUws(binary, key))
  const stranger = Buffer.from(binary)
  stranger[stranger.length - 1] = (stranger.at(-1) ?? 0) ^ 1
  expect(judgeUws(stranger, key)).toBe(judgeUws(binary, key) === 'patch' ? 'unknown' : 'loads')
  expect(judgeUws(Buffer.from('no ELF file at all, but long enough to be read as one: '.repeat(4)), key)).toBe(
    'unknown',
  )
})

test('set-up builds the page once, again when a source changes, and otherwise does nothing', async () => {
  makeCheckout(folder)
  const page = () => readFileSync(join(folder, 'web', 'dist', 'index.html'), 'utf8')
  expect((await setUpHere()).lines).toEqual(['Building the page …'])
  expect((await setUpHere()).lines).toEqual([])
  const first = page()
  write('web/main.ts', 'document.title = "second"')
  expect((await setUpHere()).lines).toEqual(['Building the page …'])
  expect(page()).not.toBe(first)
  write('web/main.test.ts', 'a test is not in the page')
  expect((await setUpHere()).lines).toEqual([])
})

test('a page that cannot be built is said, and the old one stays', async () => {
  makeCheckout(folder)
  await setUpHere()
  write('web/main.ts', "import { a } from './missing.ts'\ndocument.title = a")
  await expect(setUpHere()).rejects.toThrow(/^The page could not be built\.\n[\s\S]*missing\.ts/)
  expect(existsSync(join(folder, 'web', 'dist', 'index.html'))).toBe(true)
  expect(pageReady(folder)).toBe(false)
  expect(existsSync(join(folder, '.cache', 'setup.lock'))).toBe(false)
})

test('of two set-ups at once, one works and the other waits for it', async () => {
  makeCheckout(folder)
  const both = await Promise.all([setUpHere(), setUpHere()])
  const lines = both.flatMap((each) => each.lines)
  expect(lines.filter((line) => line.startsWith('Building'))).toHaveLength(1)
  expect(lines.filter((line) => line.includes('waiting for it'))).toHaveLength(1)
})

test('a lock whose holder was killed is taken over, once what it had started has ended', async () => {
  const lock = join(folder, '.cache', 'setup.lock')
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'close')
  const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  children.push(orphan)
  write('.cache/setup.lock', JSON.stringify({ pid: dead.pid, child: orphan.pid, host: hostname() }))
  const order: string[] = []
  const done = withLock(
    lock,
    () => order.push('waits'),
    async () => order.push('works'),
  )
  await vi.waitUntil(() => order.length > 0, 20_000)
  orphan.once('close', () => order.push('orphan ended'))
  orphan.kill('SIGKILL')
  await done
  expect(order).toEqual(['waits', 'orphan ended', 'works'])
  expect(existsSync(lock)).toBe(false)
})

test.runIf(process.platform === 'linux')('a folder that may not be written is named, with what to do', async () => {
  makeCheckout(folder)
  cpSync(join(ROOT, 'scripts'), join(folder, 'scripts'), { recursive: true })
  write('package.json', '{"type":"module"}')
  chmodSync(folder, 0o555)
  const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {}
  const { code, said } = await runScript(['scripts/start.mjs'], nobody)
  chmodSync(folder, 0o755)
  expect(said).toBe(
    `Madang cannot set itself up: no permission to write in ${folder}. Run it as the owner of that folder, or make it yours (chown).\n`,
  )
  expect(code).toBe(1)
})

test('without a network, npm start says so in one line', async () => {
  for (const name of ['scripts', 'package.json', 'package-lock.json'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  const nowhere = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_cache: join(folder, 'cache') }
  const { code, said } = await runScript(['scripts/start.mjs'], { env: { ...process.env, ...nowhere } })
  expect(said).toMatch(
    /^Installing \d+ packages .*\n(?: {2}… \d+ s\n)*npm cannot reach its registry \(ECONNREFUSED\)\. Check the network.*\n$/,
  )
  expect(code).toBe(1)
})

test('the totals count a file that could not run, and a run that failed in another way, as failures', () => {
  const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 0, testResults: [] }
  const broken = { status: 'failed', assertionResults: [] }
  const failed = { status: 'failed', assertionResults: [{ status: 'failed' }] }
  expect(countTests(report, 0)).toEqual({ passed: 3, failed: 0, skipped: 1 })
  expect(countTests(report, 1)).toEqual({ passed: 3, failed: 1, skipped: 1 })
  expect(countTests({ ...report, testResults: [broken] }, 1)).toEqual({ passed: 3, failed: 1, skipped: 1 })
  expect(countTests({ ...report, numFailedTests: 1, testResults: [failed] }, 1)).toEqual({
    passed: 3,
    failed: 1,
    skipped: 1,
  })
  expect(countTests(null, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  expect(totalsLine({ passed: 5, failed: 0, skipped: 0 })).toBe('5 passed, 0 failed')
  expect(totalsLine({ passed: 5, failed: 1, skipped: 2 })).toBe('5 passed, 1 failed, 2 skipped')
})
