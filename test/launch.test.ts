import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { abiOf } from '../scripts/node-runtime.mjs'
import { setUp } from '../scripts/setup.mjs'
import { makeCheckout } from './checkout.ts'

/** Stands for `madang start`: says who it is, and ends in good order by SIGTERM. */
const PROGRAM = `export const main = async (args) => {
  process.on('SIGTERM', () => { console.log('ends in good order'); process.exit(0) })
  setInterval(() => {}, 1000)
  console.log('up ' + process.pid + ' ' + args.join(' '))
}`

/** The system's own Node, where it is another one than this: npm's scripts put ours first on the PATH. */
const OTHER_NODE = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  try {
    return (
      abiOf(execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()) ===
      null
    )
  } catch {
    return false
  }
})

let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'madang-launch-'))
  makeCheckout(folder)
  mkdirSync(join(folder, 'cli'))
  writeFileSync(join(folder, 'cli', 'madang.ts'), PROGRAM)
  await setUp(folder, () => {})
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const pids = new Set<number>()
afterEach(() => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {}
  }
  pids.clear()
})

/** Starts a command whose descendants come up as PROGRAM, and follows what they print. */
const start = async (command: string, args: string[], env: NodeJS.ProcessEnv = {}) => {
  const { npm_lifecycle_event: _, ...ownEnv } = process.env
  const child = spawn(command, args, { cwd: folder, env: { ...ownEnv, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  pids.add(child.pid ?? 0)
  const server = await firstLine(child)
  const pid = Number(server.split(' ')[1])
  pids.add(pid)
  let printed = ''
  child.stdout.on('data', (text: string) => {
    printed += text
  })
  return {
    child,
    server,
    pid,
    printed: () => printed,
    exited: once(child, 'exit').then(([code]) => code),
    /** Once nobody is left who could print. */
    silent: once(child.stdout, 'close'),
  }
}

const firstLine = async (child: ChildProcessByStdio<null, Readable, null>): Promise<string> => {
  const [text] = await once(child.stdout.setEncoding('utf8'), 'data')
  return String(text).trim()
}

test('on a Node that will do, Madang runs in the process that npm started, with the flags as given', async () => {
  const { child, server } = await start(process.execPath, ['scripts/start.mjs', '--port', '0'])
  expect(server).toBe(`up ${child.pid} start --port 0`)
})

test('when npm is killed, what it started ends in good order', async () => {
  const npm = ['-c', `'${process.execPath}' scripts/start.mjs & wait`]
  const { child, printed, silent } = await start('/bin/sh', npm, { npm_lifecycle_event: 'start' })
  child.kill('SIGKILL')
  await silent
  expect(printed()).toBe('ends in good order\n')
})

describe.runIf(OTHER_NODE)('on a Node that will not do, Madang runs on the right one', () => {
  const relaunched = () => start(OTHER_NODE ?? '', ['scripts/start.mjs', '--port', '0'])

  test('with the flags as given', async () => {
    const { child, server, pid } = await relaunched()
    expect(pid).not.toBe(child.pid)
    expect(server).toBe(`up ${pid} start --port 0`)
  })

  test('and ends in good order with its starter asked to', async () => {
    const { child, printed, exited, silent } = await relaunched()
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    await silent
    expect(printed()).toBe('ends in good order\n')
  })

  test('and ends in good order when its starter is killed', async () => {
    const { child, printed, silent } = await relaunched()
    child.kill('SIGKILL')
    await silent
    expect(printed()).toBe('ends in good order\n')
  })

  test('and its starter ends at once when it is killed', async () => {
    const { pid, exited } = await relaunched()
    process.kill(pid, 'SIGKILL')
    expect(await exited).toBe(137)
  })
})
