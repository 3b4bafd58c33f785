import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { findOrInstallNats } from '../scripts/nats-server.mjs'
import { freePort } from './ports.ts'
import { until } from './program.ts'

const ANSWER_WITHIN_MS = 2_000
/** Servers that look for one another, or elect a leader, on a busy machine. */
const WELL_WITHIN_MS = 45_000

export interface NatsOptions {
  /** True without saying so. */
  jetstream?: boolean
  /** JetStream acknowledges only what is synced to disk. */
  fsync?: boolean
  /** Where streams are kept; without it, in a folder that goes away with the server. */
  store?: string
  /** Further lines of its configuration: who may connect, TLS, limits. */
  config?: string
}

export interface NatsServer extends AsyncDisposable {
  readonly name: string
  readonly port: number
  /** `nats://127.0.0.1:<port>` */
  readonly url: string
  /** Of the process that runs now, or ran last. */
  readonly pid: number
  /** What it printed so far. */
  output(): string
  /** What its monitoring answers to a path such as `/jsz`. Rejects where it is down or paused. */
  ask(path: string): Promise<unknown>
  /** Sends the signal, SIGKILL without one; resolves once the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Stops it in its tracks: connections stay open and nothing answers. Resolves once it stands still. */
  pause(): Promise<void>
  resume(): void
  /** Starts it on the same port and store, after killing it where it runs. Resolves once it takes connections. */
  restart(): Promise<void>
  /** Takes other lines of configuration in place of those that it was started with, as it runs. */
  reconfigure(config: string): void
  /** Resolves once it says that all is well, in a cluster with its streams too. */
  healthy(): Promise<void>
  /** Kills it and deletes its folder. */
  stop(): Promise<void>
}

export interface NatsCluster extends AsyncDisposable {
  readonly servers: readonly NatsServer[]
  /** Of all three, with commas between. */
  readonly url: string
  /** The server that leads a stream; without a name, that leads the cluster's own affairs. Waits while there is none. */
  leader(stream?: string): Promise<NatsServer>
  stop(): Promise<void>
}

/** Ends a server, and deletes its folder, when this process is gone, however it went: only then does it read an end of its input. */
const WATCH = 'read -r line; kill -KILL "$0"; rm -rf "$1"'

/** Starts one nats-server on a free port of loopback, with JetStream. Rejects with what it printed where it ends before it takes connections. */
export const startNats = async (options: NatsOptions = {}): Promise<NatsServer> =>
  await start({ name: 'nats', port: await freePort(), options, cluster: '' })

/** Starts three nats-servers that form one cluster, so that streams may have three replicas. Clients know those that they were told of: links to them can be cut. */
export const startNatsCluster = async (options: Omit<NatsOptions, 'store'> = {}): Promise<NatsCluster> => {
  const places = await Promise.all(
    ['n1', 'n2', 'n3'].map(async (name) => ({ name, port: await freePort(), route: await freePort() })),
  )
  const routes = places.map(({ route }) => `"nats://127.0.0.1:${route}"`).join(', ')
  const started = await Promise.allSettled(
    places.map(({ name, port, route }) =>
      start({
        name,
        port,
        options,
        cluster: `cluster { name: c, no_advertise: true, listen: "127.0.0.1:${route}", routes: [${routes}] }`,
      }),
    ),
  )
  const servers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  try {
    for (const result of started) if (result.status === 'rejected') throw result.reason
    await Promise.all(servers.map((server) => server.healthy()))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    servers,
    url: servers.map(({ url }) => url).join(','),
    leader: (stream) =>
      until(() => findLeader(servers, stream), `a leader of ${stream ?? 'the cluster'}`, WELL_WITHIN_MS),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const start = async (given: {
  name: string
  port: number
  options: NatsOptions
  cluster: string
}): Promise<NatsServer> => {
  const { name, port, options, cluster } = given
  const program = await findOrInstallNats((line) => console.error(line))
  const folder = mkdtempSync(join(tmpdir(), 'madang-nats-'))
  const monitor = await freePort()
  const store = options.store ?? join(folder, 'store')
  mkdirSync(store, { recursive: true })
  const config = join(folder, 'nats.conf')
  const write = (further: string) => writeFileSync(config, [...lines, further].join('\n'))
  const lines = [
    `server_name: ${name}`,
    `listen: "127.0.0.1:${port}"`,
    `http: "127.0.0.1:${monitor}"`,
    ...(options.jetstream === false
      ? []
      : [`jetstream { store_dir: "${store}"${options.fsync === true ? ', sync_interval: always' : ''} }`]),
    cluster,
  ]
  write(options.config ?? '')

  let printed = ''
  let process = run(program, config, folder, (text) => (printed += text))
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${monitor}${path}`, {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    if (!response.ok) throw new Error(`${name} answers ${path} with ${response.status}: ${await response.text()}`)
    return await response.json()
  }
  const isFine = (path: string) => async () => {
    if (process.isGone()) throw new Error(`nats-server ended:\n${printed}`)
    return await ask(path).then(
      () => true,
      () => false,
    )
  }
  const takesConnections = () =>
    until(isFine('/healthz?js-enabled-only=true'), `${name} to take connections`, WELL_WITHIN_MS)
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    process.child.kill(signal)
    await process.gone
  }
  const stop = async () => {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await takesConnections()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    name,
    port,
    url: `nats://127.0.0.1:${port}`,
    get pid() {
      return process.child.pid ?? 0
    },
    output: () => printed,
    ask,
    kill,
    async pause() {
      process.child.kill('SIGSTOP')
      await until(() => stateOf(process.child.pid).startsWith('T'), `${name} to stand still`)
    },
    resume: () => void process.child.kill('SIGCONT'),
    async restart() {
      await kill()
      process = run(program, config, folder, (text) => (printed += text))
      await takesConnections()
    },
    reconfigure(further) {
      write(further)
      process.child.kill('SIGHUP')
    },
    async healthy() {
      await until(isFine('/healthz'), `${name} to be well`, WELL_WITHIN_MS)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const run = (program: string, config: string, folder: string, print: (text: string) => void) => {
  const child = spawn(program, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr.setEncoding('utf8').on('data', print)
  const watch = spawn('sh', ['-c', WATCH, String(child.pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watch.unref()
  let isGone = false
  const gone = once(child, 'close').finally(() => {
    isGone = true
    watch.kill('SIGKILL')
  })
  return { child, gone, isGone: () => isGone }
}

/** As `ps` says it: T where it is stopped by a signal. */
const stateOf = (pid: number | undefined) =>
  execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })

const Cluster = z.object({ leader: z.string().optional() })
const JetStreamState = z.object({
  meta_cluster: Cluster.optional(),
  account_details: z
    .array(z.object({ stream_detail: z.array(z.object({ name: z.string(), cluster: Cluster.optional() })).optional() }))
    .optional(),
})

/** As the servers that answer see it, where they agree; null where they do not, or name one that is down. */
const findLeader = async (servers: readonly NatsServer[], stream: string | undefined): Promise<NatsServer | null> => {
  const answers = await Promise.allSettled(servers.map((server) => server.ask('/jsz?accounts=true&streams=true')))
  const up = servers.filter((_, index) => answers[index]?.status === 'fulfilled')
  const named = answers
    .filter((answer) => answer.status === 'fulfilled')
    .map(({ value }) => {
      const state = JetStreamState.parse(value)
      if (stream === undefined) return state.meta_cluster?.leader
      const streams = (state.account_details ?? []).flatMap((account) => account.stream_detail ?? [])
      return streams.find(({ name }) => name === stream)?.cluster?.leader
    })
    .filter((name) => name !== undefined && name !== '')
  return new Set(named).size === 1 ? (up.find(({ name }) => name === named[0]) ?? null) : null
}
