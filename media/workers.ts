import { isIP } from 'node:net'
import type { PipeTransport, Router, WebRtcServer, Worker } from 'mediasoup/types'
import type { Clock } from '../protocol/clock.ts'
import { messageOf } from '../protocol/errors.ts'
import { CODECS } from './codecs.ts'
import { freePort, portProblem } from './ports.ts'
import type { Report } from './report.ts'

const RETRY_MS = 1_000
/** How long a worker may take to end by itself. */
const KILL_AFTER_MS = 3_000

/** Where RTP arrives: UDP and TCP, at `port` plus the index of the worker. */
export interface Listen {
  ip: string
  port: number
  /** A port that was asked for is taken or nothing is; else another free one will do. */
  isPortGiven: boolean
  /** The address that clients are told. */
  announce: string | null
}

/** A worker process that is up. */
export interface RunningWorker {
  readonly index: number
  readonly pid: number
  readonly server: WebRtcServer
  /** Consumers on it: what it costs. */
  consumers: number
  /** It has as many consumers as it should have. */
  readonly isFull: boolean
  readonly isGone: boolean
  createRouter(): Promise<Router>
  /** This node's end of a pipe to another one: encrypted, and packets that are lost on the way are sent again. */
  createPipe(router: Router): Promise<PipeTransport>
  /** Calls `task` once when the process has ended, whatever ended it; returns the function that forgets it. */
  onGone(task: () => void): () => void
}

export interface WorkersOptions {
  path: string
  size: number
  consumersPerWorker: number
  listen: Listen
  clock: Clock
  report: Report
}

/**
 * The worker processes of one node. The first `take` starts all of them; one that dies is replaced at once, and one that
 * cannot start is tried again every second.
 */
export class Workers {
  readonly #options: WorkersOptions
  readonly #up = new Map<number, RunningWorker>()
  readonly #ending = new Set<Worker>()
  #starts: Promise<void>[] | null = null
  #isClosed = false
  /** Why the last start failed, where no worker is up. */
  #problem: string | null = null

  constructor(options: WorkersOptions) {
    this.#options = options
  }

  get running(): readonly RunningWorker[] {
    return [...this.#up.values()]
  }

  /** All that are up are full; false while none is. */
  get areFull(): boolean {
    return this.#up.size > 0 && this.running.every(({ isFull }) => isFull)
  }

  get problem(): string | null {
    return this.#up.size > 0 ? null : this.#problem
  }

  /** The worker with the fewest consumers, once one is up. Rejects where none can start. */
  async take(): Promise<RunningWorker> {
    if (this.#up.size === 0) {
      const { size } = this.#options
      this.#starts ??= Array.from({ length: size }, (_, index) => this.#start(index))
      await Promise.any(this.#starts).catch((error: AggregateError) => {
        throw error.errors[0]
      })
    }
    const [first, ...others] = this.running
    if (first === undefined) throw new Error('no media worker is up')
    return others.reduce((least, worker) => (worker.consumers < least.consumers ? worker : least), first)
  }

  /** Ends all workers, and resolves once their processes have ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(this.#starts ?? [])
    await Promise.all([...this.#ending].map((worker) => ended(worker, this.#options.clock)))
  }

  async #start(index: number): Promise<void> {
    const { clock, report } = this.#options
    try {
      await this.#spawn(index)
      this.#problem = null
    } catch (err) {
      this.#problem = messageOf(err)
      if (!this.#isClosed) {
        report('error', 'a media worker could not start: it is tried again', { worker: index, err })
        clock.after(RETRY_MS, () => this.#restart(index))
      }
      throw err
    }
  }

  #restart(index: number): void {
    if (this.#isClosed || this.#starts === null) return
    this.#starts[index] = this.#start(index)
    this.#starts[index].catch(() => {})
  }

  async #spawn(index: number): Promise<void> {
    const { path, report } = this.#options
    const port = await this.#portOf(index)
    // Not before video is used: it takes longer to load than the rest of the program to start.
    const { createWorker, setLogEventListeners } = await import('mediasoup')
    setLogEventListeners({
      onwarn: (namespace, line) => report('debug', 'mediasoup warns', { namespace, line }),
      onerror: (namespace, line, err) => report('warn', 'mediasoup reports an error', { namespace, line, err }),
    })
    const worker = await createWorker({ workerBin: path, logLevel: 'error' })
    this.#ending.add(worker)
    worker.once('subprocessclose', () => this.#ending.delete(worker))
    try {
      const up = await this.#serve(worker, index, port)
      if (this.#isClosed) return worker.close()
      this.#up.set(index, up)
      report('info', 'a media worker is up', { worker: index, pid: up.pid, port })
    } catch (error) {
      worker.close()
      throw error
    }
  }

  async #serve(worker: Worker, index: number, port: number): Promise<RunningWorker> {
    const { consumersPerWorker, listen } = this.#options
    const { ip, announce } = listen
    const address = announce === null ? {} : { announcedAddress: announce }
    const server = await worker.createWebRtcServer({
      listenInfos: (['udp', 'tcp'] as const).map((protocol) => ({ protocol, ip, port, ...address })),
    })
    const waiting = new Set<() => void>()
    worker.observer.once('close', () => {
      this.#up.delete(index)
      for (const task of [...waiting]) task()
    })
    worker.once('died', (err) => {
      this.#options.report('error', 'a media worker died: another takes its place', { worker: index, err })
      this.#restart(index)
    })
    const up: RunningWorker = {
      index,
      pid: worker.pid,
      server,
      consumers: 0,
      get isFull() {
        return up.consumers >= consumersPerWorker
      },
      get isGone() {
        return worker.closed
      },
      createRouter: () => worker.createRouter({ mediaCodecs: CODECS }),
      createPipe: (router) =>
        router.createPipeTransport({
          // The other node sends to no name.
          listenInfo: { protocol: 'udp', ip, ...(isIP(announce ?? '') === 0 ? {} : address) },
          enableSrtp: true,
          enableRtx: true,
        }),
      onGone(task) {
        waiting.add(task)
        return () => waiting.delete(task)
      },
    }
    return up
  }

  /** Asked for each time: what was free when the node started may be taken now. */
  async #portOf(index: number): Promise<number> {
    const { ip, port, isPortGiven } = this.#options.listen
    if (port !== 0 && (isPortGiven || (await portProblem(ip, port + index)) === null)) return port + index
    return freePort(ip)
  }
}

/** Ends a worker; resolves once its process has ended, which is killed where it does not by itself. */
const ended = async (worker: Worker, clock: Clock): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (worker.subprocessClosed) return
  worker.once('subprocessclose', resolve)
  const cancel = clock.after(KILL_AFTER_MS, () => process.kill(worker.pid, 'SIGKILL'))
  worker.close()
  await promise
  cancel()
}
