import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { until } from '../program.ts'
import { dig } from './raw.ts'

const CLI = fileURLToPath(new URL('../../cli/madang.ts', import.meta.url))

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** `madang start` with exactly these flags and nothing of Madang's in the environment but `env`. */
export class Started {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  /** Exit code, or null where a signal ended it. */
  readonly gone: Promise<number | null>

  constructor(args: readonly string[], env: Record<string, string> = {}, cwd?: string) {
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MADANG_')))
    this.child = spawn(process.execPath, [CLI, ...args], { env: { ...clean, ...env }, cwd })
    running.add(this.child)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.gone = once(this.child, 'close').then(([code]) => {
      running.delete(this.child)
      return typeof code === 'number' ? code : null
    })
  }

  /** The lines of both streams. */
  get lines(): string[] {
    return `${this.stdout}${this.stderr}`.split('\n').filter((line) => line !== '')
  }

  /** The URL that the ready line names; rejects where it ends before. */
  async ready(): Promise<string> {
    let ended: number | null | undefined
    void this.gone.then((code) => {
      ended = code
    })
    return until(() => {
      if (ended !== undefined) throw new Error(`ended with ${ended}: ${this.stdout}${this.stderr}`)
      return /^Madang is ready: (\S+)$/m.exec(this.stdout)?.[1]
    }, 'the ready line')
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    this.child.kill(signal)
    return this.gone
  }
}

/** A port that something listens on until it is disposed of; `port` 0 picks one. Null where another process has it. */
export const occupy = async (port = 0): Promise<({ port: number } & Disposable) | null> => {
  const server: Server = createServer((socket) => socket.destroy())
  const failed = once(server, 'error').then(() => false)
  server.listen(port, '127.0.0.1')
  if (!(await Promise.race([once(server, 'listening').then(() => true), failed]))) return null
  return { port: Number(dig(server.address(), 'port')), [Symbol.dispose]: () => void server.close() }
}
