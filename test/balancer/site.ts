import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll } from 'vitest'
import { localBus } from '../../bus/local.ts'
import { startAdmin } from '../../cli/admin.ts'
import { realChance, realClock } from '../../cli/real.ts'
import { openSqlite } from '../../engine/log/sqlite.ts'
import { Engine } from '../../engine/partition/engine.ts'
import { loadGames } from '../../engine/rules/load.ts'
import { createAuth } from '../../gateway/auth.ts'
import { type GatewayServer, startGateway } from '../../gateway/uws.ts'
import { freePort } from '../ports.ts'
import { temporaryFolder } from '../program.ts'
import { GAMES } from '../transports/seats.ts'
import type { Behind } from './haproxy.ts'

const HOST = '127.0.0.1'
const log = pino({ level: 'silent' })

/** A gateway on ports that stay its own when it is started again. */
export interface Post extends Behind {
  readonly server: GatewayServer
  /** Drains and ends it in order; from the start of it on it is not ready. */
  stop(): Promise<void>
  /** Starts another one in its place. */
  start(): Promise<void>
}

export interface Site {
  /** Where the log is. */
  readonly data: string
  readonly gateways: readonly [Post, Post]
}

/** Two gateways and an engine that meet on one bus, for the tests of one file. */
export const siteOfThisFile = async (): Promise<Site> => {
  const data = temporaryFolder()
  afterAll(() => data[Symbol.dispose]())
  const storage = await openSqlite({ dir: data.path, chance: realChance, soon: realClock.soon })
  afterAll(() => storage.close())
  const bus = localBus()
  const shared = { clock: realClock, chance: realChance, clusterKey: realChance.bytes(32) }
  const games = await loadGames(GAMES)
  const engine = await Engine.startAlone({ ...shared, bus, storage, games, report: () => {} })
  afterAll(() => engine.close())
  const auth = createAuth({ ...shared, keys: { by: 'guests', key: realChance.bytes(32) } })
  const open = (id: string, port: number) =>
    startGateway({
      ...shared,
      id,
      bus,
      log,
      auth,
      host: HOST,
      port,
      limits: { frame: 16_384, rate: 1_000 },
      origins: null,
      trustProxy: 1,
      tls: null,
      files: data.path,
      isReady: () => true,
    })
  return { data: data.path, gateways: [await post('one', open), await post('two', open)] }
}

const post = async (name: string, open: (id: string, port: number) => Promise<GatewayServer>): Promise<Post> => {
  let starts = 1
  let server = await open(`${name}-${starts}`, await freePort())
  const { port } = server
  const admin = await startAdmin({
    host: HOST,
    port: 0,
    isPortGiven: true,
    token: undefined,
    isReady: () => server.isReady(),
    metrics: new Registry(),
    status: () => ({}),
    media: async () => null,
  })
  afterAll(async () => {
    await server.close()
    await admin.close()
  })
  return {
    port,
    adminPort: admin.port,
    get server() {
      return server
    },
    async stop() {
      await server.drain()
      await server.close()
    },
    async start() {
      starts += 1
      server = await open(`${name}-${starts}`, port)
    },
  }
}
