import { localBus } from '../bus/local.ts'
import { DataFolderInUse, type Storage, StorageError } from '../engine/log/log.ts'
import { memoryStorage } from '../engine/log/memory.ts'
import { openSqlite } from '../engine/log/sqlite.ts'
import { Engine } from '../engine/partition/engine.ts'
import type { Report } from '../engine/room/writer.ts'
import { GameFileError, loadGames } from '../engine/rules/load.ts'
import { createAuth, type TokenKeys } from '../gateway/auth.ts'
import { CannotServe, type GatewayServer, startGateway } from '../gateway/uws.ts'
import type { MediaNode } from '../media/node.ts'
import { CannotStart } from './cannot-start.ts'
import type { Config } from './config.ts'
import { type Keys, openKeys, passingKeys } from './data-folder.ts'
import { startMedia } from './media.ts'
import { measureGateway, measureMedia, measureRooms } from './metrics.ts'
import { ROOT, SAMPLE_GAMES } from './places.ts'
import type { Compose, Surroundings } from './roles.ts'

/** All roles in one process, on the embedded bus and log. */
export const compose: Compose = async (surroundings) => {
  const { config, log, metrics, clock, chance } = surroundings
  const games = await expecting(GameFileError, loadGames(config.games ?? SAMPLE_GAMES))
  const storage = await expecting(StorageError, openStorage(surroundings))
  let engine: Engine | null = null
  let media: MediaNode | null = null
  try {
    const keys = config.durability === 'memory' ? passingKeys(chance) : openKeys(config.data, chance)
    const bus = localBus({ onError: (err, subject) => log.error({ err, subject }, 'a listener on the bus failed') })
    const report: Report = (level, message, fields) => log[level](fields, message)
    const own = await Engine.startAlone({ bus, storage, clock, chance, games, clusterKey: keys.cluster, report })
    engine = own
    const node = await startMedia(surroundings, bus)
    media = node
    const server = await expecting(CannotServe, openGateway(surroundings, keys, bus))
    measureGateway(metrics, server.gateway.counters)
    measureRooms(metrics, own.rooms)
    measureMedia(metrics, node)
    log.info({ games: games.map(({ runner }) => runner.id), durability: storage.durability }, 'at work')
    return {
      url: urlOf(config, server.port),
      isReady: () => server.isReady(),
      status: () => ({ durability: storage.durability, ...own.rooms.counts(), media: node.counts() }),
      media: async (room) => {
        const consumers = await node.audit(room)
        return consumers && { consumers }
      },
      async stop() {
        await server.drain()
        await node.close()
        await own.close()
        await server.close()
        await bus.close()
        await storage.close()
      },
    }
  } catch (error) {
    await media?.close()
    await engine?.close()
    await storage.close()
    throw error
  }
}

const openStorage = ({ config, clock, chance, log }: Surroundings): Promise<Storage> => {
  if (config.durability === 'memory') return Promise.resolve(memoryStorage({ chance }))
  return openSqlite({
    dir: config.data,
    chance,
    soon: clock.soon,
    onTrouble: (err) => log.fatal({ err }, 'the log is gone: nothing can be stored until Madang is started again'),
  })
}

const openGateway = (
  { config, log, clock, chance }: Surroundings,
  keys: Keys,
  bus: ReturnType<typeof localBus>,
): Promise<GatewayServer> =>
  startGateway({
    id: `g${Buffer.from(chance.bytes(6)).toString('hex')}`,
    bus,
    clock,
    chance,
    log,
    auth: createAuth({
      keys: tokenKeys(config, keys),
      ...(config.guests ? { guestKey: keys.guests } : {}),
      clock,
      chance,
      ...(config.jwtIssuer === undefined ? {} : { issuer: config.jwtIssuer }),
      ...(config.jwtAudience === undefined ? {} : { audience: config.jwtAudience }),
    }),
    clusterKey: keys.cluster,
    limits: { frame: config.frame, rate: config.rate },
    host: config.host,
    port: config.port,
    origins: config.origins ?? null,
    trustProxy: config.trustProxy,
    tls:
      config.tlsCert === undefined || config.tlsKey === undefined ? null : { cert: config.tlsCert, key: config.tlsKey },
    files: new URL('web/dist/', ROOT).pathname,
    isReady: () => true,
  })

const tokenKeys = ({ jwtSecret, jwksUrl }: Config, keys: Keys): TokenKeys => {
  if (jwtSecret !== undefined) return { by: 'secret', secret: jwtSecret }
  if (jwksUrl !== undefined) return { by: 'jwks', url: jwksUrl }
  return { by: 'guests', key: keys.guests }
}

/** Where a browser on this machine finds the page. */
const urlOf = ({ host, tlsCert }: Config, port: number): string => {
  const name = ['127.0.0.1', '::1', '0.0.0.0', '::'].includes(host) ? 'localhost' : host
  return `${tlsCert === undefined ? 'http' : 'https'}://${name}:${port}`
}

/** The same promise, with the errors that a user can mend as CannotStart. */
const expecting = async <T>(kind: new (...args: never[]) => Error, work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    if (error instanceof DataFolderInUse || error instanceof kind)
      throw new CannotStart(error.message, { cause: error })
    throw error
  }
}
