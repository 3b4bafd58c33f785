import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Memory } from './probe.ts'

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** Signs the tokens of the bench's players. */
export const SECRET = 'a secret of the benchmark, of more than 32 bytes'

/** CPU time of a process so far, µs: its main thread, and all others (the log's thread, V8's own). */
export interface Cpu {
  main: number
  others: number
  /** How long the main thread was ready to run and had no core. */
  waited: number
}

/** A server under measurement, in a process of its own. */
export interface Server {
  /** Where clients connect; where no gateway runs, the admin port. */
  readonly port: number
  readonly pid: number
  cpu(): Cpu
  /** After a garbage collection. */
  memory(): Promise<Memory>
  startProfile(): Promise<void>
  /** Of the main thread, since `startProfile`. */
  profile(): Promise<Profiler.Profile>
  /** What a program of the bench tells of itself. */
  ask<T>(what: string, given?: unknown): Promise<T>
  /** Sends the signal; resolves once the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** In order, and within 15 s. */
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
const folders = new Set<string>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) removeFolder(folder)
})

/** A server that is being killed may write for a moment more. */
const removeFolder = (folder: string): void => {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  folders.delete(folder)
}

/** A folder that goes away with this process at the latest. */
export const temporaryFolder = (): { path: string; remove(): void } => {
  const path = mkdtempSync(join(tmpdir(), 'madang-bench-'))
  folders.add(path)
  return { path, remove: () => removeFolder(path) }
}

/** The games that a server of `startMadang` has: bench's besides the sample games. */
export const GAMES = [pathOf('../../games'), pathOf('../games')]

/** The real `madang start` with these flags, on free ports, with `GAMES` and a high rate. */
export const startMadang = (flags: readonly string[]): Promise<Server> => {
  const ports = ['--port', '0', '--admin-port', '0', '--games', GAMES.join(), '--log-level', 'warn']
  return start([pathOf('../../cli/madang.ts'), 'start', ...ports, '--rate', '100000', ...flags], {
    MADANG_JWT_SECRET: SECRET,
  })
}

/** The same with a fresh data folder. */
export const startOurs = async (more: readonly string[] = []): Promise<Server> => {
  const data = mkdtempSync(join(tmpdir(), 'madang-bench-'))
  folders.add(data)
  const server = await startMadang(['--data', data, ...more])
  const stop = async () => {
    await server.stop()
    removeFolder(data)
  }
  return { ...server, stop }
}

/** Ours, for a generator of RTP: see `media-server.ts`. */
export const startMedia = async (): Promise<Server> => {
  const data = mkdtempSync(join(tmpdir(), 'madang-bench-'))
  folders.add(data)
  const server = await start([pathOf('media-server.ts'), data], {})
  const stop = async () => {
    await server.stop()
    removeFolder(data)
  }
  return { ...server, stop }
}

/** mediasoup with nothing around it: see `media-bare.ts`. */
export const startBareMedia = (): Promise<Server> => start([pathOf('media-bare.ts')], {})

/** uWebSockets.js with nothing around it: see `raw-uws.ts`. */
export const startRaw = (): Promise<Server> => start([pathOf('raw-uws.ts')], {})

const start = async (command: string[], env: Record<string, string>): Promise<Server> => {
  const child = spawn(process.execPath, ['--expose-gc', '--import', pathOf('probe.ts'), ...command], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  running.add(child)
  const gone = once(child, 'exit').then(([code]) => running.delete(child) && code)
  const ready = Promise.withResolvers<number>()
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const port = /^\S+ is ready: .*\b(\d+)$/.exec(line)?.[1]
      if (port === undefined) console.log(line)
      else ready.resolve(Number(port))
    })
  void gone.then((code) => ready.reject(new Error(`${command[0]} ended with ${code}`)))
  const port = await ready.promise

  let lastId = 0
  const ask = <T>(what: string, given?: unknown): Promise<T> =>
    new Promise((resolve, reject) => {
      lastId += 1
      const id = lastId
      const hear = (message: unknown) => {
        const { id: of, value } = message as { id: number; value: T }
        if (of !== id) return
        child.off('message', hear)
        resolve(value)
      }
      child.on('message', hear)
      child.send({ id, do: what, given })
      void gone.then(() => reject(new Error('the server ended')))
    })
  return {
    port,
    pid: child.pid ?? 0,
    cpu: () => cpuOf(child.pid ?? 0),
    memory: () => ask<Memory>('memory'),
    startProfile: () => ask<void>('profile'),
    profile: () => ask<Profiler.Profile>('profiled'),
    ask,
    async kill(signal) {
      child.kill(signal)
      await gone
    },
    async stop() {
      child.kill('SIGTERM')
      const end = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await gone
      clearTimeout(end)
    },
  }
}

/** From /proc, in nanoseconds there. */
export const cpuOf = (pid: number): Cpu => {
  const cpu = { main: 0, others: 0, waited: 0 }
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ').map(Number)
    if (Number(thread) !== pid) cpu.others += ran / 1_000
    else {
      cpu.main += ran / 1_000
      cpu.waited += waited / 1_000
    }
  }
  return cpu
}

export const cpuBetween = (before: Cpu, after: Cpu): Cpu => ({
  main: after.main - before.main,
  others: after.others - before.others,
  waited: after.waited - before.waited,
})
