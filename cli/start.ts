import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Chance, Clock } from '../protocol/clock.ts'
import { type Admin, startAdmin } from './admin.ts'
import { CannotStart } from './cannot-start.ts'
import { compose } from './compose.ts'
import { type Config, parseStart } from './config.ts'
import { createLog, type Logger } from './log.ts'
import { print } from './print.ts'
import { realChance, realClock } from './real.ts'
import { onStop } from './stop.ts'

/** SIGTERM promises an end within 10 s. */
const DRAIN_AT_MOST_MS = 9_500

/** What the roles need from the outermost edge. */
export interface Surroundings {
  config: Config
  log: Logger
  metrics: Registry
  clock: Clock
  chance: Chance
}

/** The roles of one process at work together. */
export interface Running {
  /** Where clients connect: `http://localhost:3000`. */
  readonly url: string
  isReady(): boolean
  /** For `GET /admin/status`. */
  status(): object
  /** Tells clients to come back, lets appends in flight finish, hands over and closes. */
  stop(): Promise<void>
}

/** Starts the roles; resolves once they serve. Rejects with CannotStart where the configuration does not let them. */
export type Compose = (surroundings: Surroundings) => Promise<Running>

/** `madang start`: runs until a signal ends it. Resolves with the exit code. */
export const startWith = async (compose: Compose, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const config = parseStart(argv, env)
  if ('exit' in config) return print(config)
  const log = createLog(config.logLevel)
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  const stopped = Promise.withResolvers<void>()
  onStop(process, realClock, { begin: stopped.resolve, abort: (code) => process.exit(code) })

  let running: Running | null = null
  let isStopping = false
  let admin: Admin | null = null
  try {
    admin = await startAdmin({
      host: config.adminHost,
      port: config.adminPort,
      isPortGiven: config.isAdminPortGiven,
      token: config.adminToken,
      isReady: () => !isStopping && running?.isReady() === true,
      metrics,
      status: () => running?.status() ?? {},
    })
    if (admin.moved) console.log(`Port ${config.adminPort} is taken: metrics and health are on port ${admin.port}.`)
    running = await compose({ config, log, metrics, clock: realClock, chance: realChance })
  } catch (error) {
    await admin?.close()
    if (!(error instanceof CannotStart)) throw error
    return print({ exit: 2, text: `madang: ${error.message}` })
  }
  console.log(`Madang is ready: ${running.url}`)

  await stopped.promise
  isStopping = true
  const inTime = await endsWithin(running.stop(), DRAIN_AT_MOST_MS)
  if (!inTime) log.error({ ms: DRAIN_AT_MOST_MS }, 'stopping took too long: ended without waiting')
  await admin.close()
  return inTime ? 0 : 1
}

export const runStart = (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> =>
  startWith(compose, argv, env)

const endsWithin = async (work: Promise<void>, ms: number): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const cancel = realClock.after(ms, () => resolve(false))
  const inTime = await Promise.race([work.then(() => true), promise])
  cancel()
  return inTime
}
