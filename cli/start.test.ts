import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const CLI = fileURLToPath(new URL('./madang.ts', import.meta.url))

let folder = ''
const children: ChildProcess[] = []
const servers: Server[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'madang-start-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const server of servers.splice(0)) server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs `madang ARGS` in an empty folder; `said` collects both streams. */
const run = (...args: string[]) => {
  const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let stdout = ''
  let stderr = ''
  const changed = new Set<() => void>()
  const hear = () => {
    for (const look of changed) look()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    hear()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    hear()
  })
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }))
  /** The first group of the pattern, once it is printed; rejects where the program ends before. */
  const says = (pattern: RegExp) =>
    Promise.race([
      new Promise<string>((resolve) => {
        const look = () => {
          const found = pattern.exec(stdout)
          if (found === null) return
          changed.delete(look)
          resolve(found[1] ?? '')
        }
        changed.add(look)
        look()
      }),
      ended.then(({ stderr }) => Promise.reject(new Error(`it ended: ${stderr}`))),
    ])
  return { child, ended, says }
}

const READY = /^Madang is ready: (http:\/\/localhost:\d+)$/m
const start = async (...args: string[]) => {
  const program = run('start', '--port', '0', '--admin-port', '0', ...args)
  return { ...program, url: await program.says(READY) }
}

const takePort = async (port = 0): Promise<number> => {
  const server = createServer().listen(port, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

test('it says that it is ready once /readyz answers 200, and nothing alarming before', async () => {
  const { url, child, ended } = await start()
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  child.kill('SIGTERM')
  const { code, stdout, stderr } = await ended
  expect(stderr).toBe('')
  expect(stdout).not.toMatch(/"level":[456]0/)
  expect(code).toBe(0)
})

test('without flags data goes to ./data, and a second Madang on it ends with one line and code 2', async () => {
  await start()
  // The default admin port is taken by now, or by this: that it would move is not worth a second line.
  await takePort(3001).catch(() => {})
  const second = await run('start', '--port', '0').ended
  expect(second.stderr).toMatch(/^madang: data folder in use: [^\n]*--data\)\n$/)
  expect(second.stdout).toBe('')
  expect(second.code).toBe(2)
})

test('a port in use ends with one line and code 2', async () => {
  const port = await takePort()
  const { code, stderr } = await run('start', '--port', String(port), '--admin-port', '0').ended
  expect(stderr).toMatch(
    new RegExp(`^madang: [^\\n]*127\\.0\\.0\\.1:${port}[^\\n]*in use[^\\n]*--port, or --host\\.\\n$`),
  )
  expect(code).toBe(2)
})

test('a media port that was asked for and is in use ends with one line and code 2', async () => {
  const port = await takePort()
  const args = ['--port', '0', '--admin-port', '0', '--media-workers', '1', '--media-port', String(port)]
  const { code, stdout, stderr } = await run('start', ...args).ended
  expect(stderr).toBe(`madang: --media-port: 127.0.0.1:${port} is taken (UDP or TCP): choose another.\n`)
  expect(stdout).toBe('')
  expect(code).toBe(2)
})

test.for([
  [['start', '--prot', '1'], 'unknown flag --prot. Did you mean --port?'],
  [['strat'], 'unknown command strat. Did you mean start?'],
  [['start', '--data', '/dev/null/x'], 'data folder /dev/null/x: not a directory'],
] as const)('%j ends with one line and code 2', async ([args, line]) => {
  const { code, stdout, stderr } = await run(
    ...args,
    ...(args[1] === '--data' ? ['--port', '0', '--admin-port', '0'] : []),
  ).ended
  expect(stderr).toContain(line)
  expect(stderr.trimEnd()).not.toContain('\n')
  expect(stdout).toBe('')
  expect(code).toBe(2)
})

test('a signal that arrives twice at once, as with npm in between, ends in good order', async () => {
  const { child, ended } = await start()
  // Two of the same kind would be merged by the system before they arrive.
  child.kill('SIGINT')
  child.kill('SIGTERM')
  expect((await ended).code).toBe(0)
})
