// Loaded into a measured server before its own code (`node --expose-gc --import probe.ts …`): answers the bench over IPC
// with what only the process itself can tell. It costs nothing while nobody asks.
import { type Profiler, Session } from 'node:inspector'
import { isMainThread } from 'node:worker_threads'

/** What the bench asks, with the id under which it is answered. A program of the bench answers more than this. */
type Ask = { id: number; do: string }

export interface Memory {
  heap: number
  external: number
  rss: number
}

let session: Session | null = null

const memory = async (): Promise<Memory> => {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed, external, rss }
}

const post = (method: 'Profiler.enable' | 'Profiler.start'): Promise<void> =>
  new Promise((resolve, reject) => session?.post(method, (error) => (error ? reject(error) : resolve())))

const profile = async (): Promise<null> => {
  session = new Session()
  session.connect()
  await post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: 500 })
  await post('Profiler.start')
  return null
}

const profiled = (): Promise<Profiler.Profile> =>
  new Promise((resolve, reject) => {
    session?.post('Profiler.stop', (error, { profile }) => (error ? reject(error) : resolve(profile)))
  })

const ANSWERS = new Map<string, () => Promise<unknown>>(Object.entries({ memory, profile, profiled }))

if (isMainThread && process.connected) {
  process.on('message', (ask: Ask) => {
    ANSWERS.get(ask.do)?.().then((value) => process.send?.({ id: ask.id, value }))
  })
  // The server's own promise about who started it is not what is measured here.
  process.channel?.unref()
}
