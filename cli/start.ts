import { collectDefaultMetrics, Registry } from 'prom-client'
import { type Admin, startAdmin } from './admin.ts'
import { CannotStart } from './cannot-start.ts'
import { compose } from './compose.ts'
import { parseStart } from './config.ts'
import { createLog } from './log.ts'
import { print } from './print.ts'
import { watchReadiness } from './readiness.ts'
import { realChance, realClock } from './real.ts'
import type { Compose, Running } from './roles.ts'
import { onStop } from './stop.ts'

/** SIGTERM promises an end within 10 s. */
const DRAIN_AT_MOST_MS = 9_500

/** A role may wait for another: a gateway for an engine. */
const LOOK_EVERY_MS = 20
const SAY_EVERY_MS = 5_000

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
      media: async (room) => (await running?.media(room)) ?? null,
    })
    const composed = compose({ config, log, metrics, clock: realClock, chance: realChance })
    running = await Promise.race([composed, stopped.promise.then(() => null)])
    // It may wait for others for as long as it takes, and holds nothing yet.
    if (running === null) return 0
  } catch (error) {
    await admin?.close()
    if (!(error instanceof CannotStart)) throw error
    return print({ exit: 2, text: `madang: ${error.message}` })
  }
  // Where it cannot start, the one line that says why is enough.
  if (admin.moved) console.log(`Port ${config.adminPort} is taken: metrics and health are on port ${admin.port}.`)
  const ready = running
  await Promise.race([
    until(
      () => ready.isReady(),
      () => log.info(ready.status(), 'waiting for the others'),
    ),
    stopped.promise,
  ])
  if (ready.isReady())
    console.log(`Madang is ready: ${ready.url ?? `${config.roles.join(' and ')}, health on port ${admin.port}`}`)

  const endSaying = watchReadiness(ready, log, realClock)
  await stopped.promise
  endSaying()
  isStopping = true
  const inTime = await endsWithin(running.stop(), DRAIN_AT_MOST_MS)
  if (!inTime) log.error({ ms: DRAIN_AT_MOST_MS }, 'stopping took too long: ended without waiting')
  await admin.close()
  return inTime ? 0 : 1
}

export const runStart = (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> =>
  startWith(compose, argv, env)

/** Resolves once it is so. `onWait` is called where that takes longer than people think is usual, and again. */
const until = async (isSo: () => boolean, onWait: () => void): Promise<void> => {
  for (let waited = 0; !isSo(); waited += LOOK_EVERY_MS) {
    if (waited > 0 && waited % SAY_EVERY_MS === 0) onWait()
    await new Promise<void>((resolve) => realClock.after(LOOK_EVERY_MS, resolve))
  }
}

const endsWithin = async (work: Promise<void>, ms: number): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const cancel = realClock.after(ms, () => resolve(false))
  const inTime = await Promise.race([work.then(() => true), promise])
  cancel()
  return inTime
}
