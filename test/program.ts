import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { freePort } from './ports.ts'

const CLI = fileURLToPath(new URL('../cli/madang.ts', import.meta.url))
/** A process without a gateway says which roles it has, in place of where clients connect. */
const READY = /^Madang is ready: (?:(http\S+)|.+ health on port \d+)$/

export interface Program {
  /** `http://127.0.0.1:<port>`: loopback by address, so that nothing looks a name up; empty where no gateway runs there. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** What it printed so far, both streams. */
  readonly output: () => string
  /** Sends the signal; resolves with the exit code (null: ended by the signal) once the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<number | null>
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts the real `madang start` on free ports and waits for its ready line. Rejects with what it printed where it ends before. */
export const startMadang = async (
  args: readonly string[],
  { env = {}, port }: { env?: Record<string, string>; port?: number } = {},
): Promise<Program> => {
  // Not one that the system picks: whoever is started again is started where it was.
  const own = port ?? (await freePort())
  const adminPort = args.includes('--admin-port') ? [] : ['--admin-port', '0']
  const child = spawn(process.execPath, [CLI, 'start', '--port', String(own), ...adminPort, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const gone = once(child, 'exit').then(([code]) => {
    running.delete(child)
    return typeof code === 'number' ? code : null
  })
  let printed = ''
  const ready = Promise.withResolvers<string | null>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      printed += `${line}\n`
      const said = READY.exec(line)
      if (said !== null) ready.resolve(said[1] ?? null)
    })
  }
  void gone.then((code) => ready.reject(new Error(`madang start ended with ${code}:\n${printed}`)))
  const said = await ready.promise
  const url = said === null ? null : new URL(said)
  return {
    url: url === null ? '' : `${url.protocol}//127.0.0.1:${url.port}`,
    port: Number(url?.port ?? 0),
    pid: child.pid ?? 0,
    output: () => printed,
    kill(signal = 'SIGKILL') {
      child.kill(signal)
      return gone
    },
  }
}

/** Runs `madang ARGS…` to its end. */
export const runMadang = async (
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> => {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => (printed.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (printed.stderr += text))
  const [code] = await once(child, 'close')
  running.delete(child)
  return { code, ...printed }
}

/** A folder that goes away with the test: `using data = temporaryFolder()`. */
export const temporaryFolder = (): { path: string } & Disposable => {
  const path = mkdtempSync(join(tmpdir(), 'madang-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Resolves once `test` is truthy, asked again every few milliseconds; rejects with `what` after `ms`. */
export const until = async <T>(test: () => T | Promise<T>, what: string, ms = 45_000): Promise<NonNullable<T>> => {
  const end = performance.now() + ms
  for (;;) {
    const value = await test()
    if (value !== null && value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
