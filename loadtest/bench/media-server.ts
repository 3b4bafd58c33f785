/**
 * `node media-server.ts DATA`: gateway, engine and media node as `madang start` composes them, but for the media's transports, which are such as
 * the generator speaks. Tells the bench over IPC which processes its workers are, and when each policy came to the node.
 */
import { fileURLToPath } from 'node:url'
import { localBus } from '../../bus/local.ts'
import { mediaNodeSubject } from '../../bus/subjects.ts'
import { createLog } from '../../cli/log.ts'
import { findMediaWorker } from '../../cli/media-worker.ts'
import { realChance, realClock } from '../../cli/real.ts'
import { openSqlite } from '../../engine/log/sqlite.ts'
import { Engine } from '../../engine/partition/engine.ts'
import { loadGames } from '../../engine/rules/load.ts'
import { createAuth } from '../../gateway/auth.ts'
import { startGateway } from '../../gateway/uws.ts'
import { MediaNode } from '../../media/node.ts'
import { openPlain } from './media-links.ts'
import { monotonicMs } from './media-traffic.ts'
import { SECRET } from './server.ts'

/** A policy on its way into the node. */
export interface Leased {
  room: string
  seq: number
  at: number
}

const NODE = 'm1'
const RATE = 100_000
const [, , data = ''] = process.argv
const [clock, chance] = [realClock, realChance]
const log = createLog('warn')
const pids: number[] = []
let leased: Leased[] = []

const bus = localBus({ onError: (err, subject) => log.error({ err, subject }, 'a listener on the bus failed') })
const storage = await openSqlite({ dir: data, chance, soon: clock.soon })
const clusterKey = chance.bytes(32)
const engine = await Engine.startAlone({
  bus,
  storage,
  clock,
  chance,
  games: await loadGames([fileURLToPath(new URL('../../games', import.meta.url))]),
  clusterKey,
  report: (level, message, fields) => log[level](fields, message),
})
bus.subscribe(mediaNodeSubject(NODE), (message) => {
  if (message.kind !== 'media-lease' || message.policy === null) return
  leased.push({ room: message.room, seq: message.seq, at: monotonicMs() })
})
const node = new MediaNode({
  id: NODE,
  bus,
  clock,
  chance,
  report: (level, message, fields) => {
    if (typeof fields.pid === 'number') pids.push(fields.pid)
    else log[level](fields, message)
  },
  findWorker: () => findMediaWorker(process.env),
  size: 1,
  listen: { ip: '127.0.0.1', port: 0, isPortGiven: false, announce: null },
  iceServers: [],
  openLink: openPlain,
})
const server = await startGateway({
  id: 'g1',
  bus,
  clock,
  chance,
  log,
  auth: createAuth({ keys: { by: 'secret', secret: SECRET }, clock, chance }),
  clusterKey,
  limits: { frame: 16_384, rate: RATE },
  host: '127.0.0.1',
  port: 0,
  origins: null,
  trustProxy: 0,
  tls: null,
  files: data,
  isReady: () => true,
})

const ANSWERS: Readonly<Record<string, () => unknown>> = {
  workers: () => pids,
  leased: () => {
    const all = leased
    leased = []
    return all
  },
}
process.on('message', ({ id, do: what }: { id: number; do: string }) => {
  const answer = ANSWERS[what]
  if (answer !== undefined) process.send?.({ id, value: answer() })
})
process.channel?.unref()
process.once('SIGTERM', async () => {
  await server.drain()
  await node.close()
  await engine.close()
  await server.close()
  await bus.close()
  await storage.close()
})
console.log(`Madang is ready: http://127.0.0.1:${server.port}`)
