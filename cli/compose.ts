import type { Bus } from '../bus/bus.ts'
import { Engine } from '../engine/partition/engine.ts'
import { GameFileError, loadGames } from '../engine/rules/load.ts'
import { createAuth, type TokenKeys } from '../gateway/auth.ts'
import { CannotServe, type GatewayServer, startGateway } from '../gateway/uws.ts'
import { expecting } from './cannot-start.ts'
import { openCluster } from './cluster.ts'
import type { Config } from './config.ts'
import type { Keys } from './data-folder.ts'
import { openEmbedded } from './embedded.ts'
import type { Ground } from './ground.ts'
import { startMedia } from './media.ts'
import { measureEngine, measureGateway, measureMedia } from './metrics.ts'
import { ROOT, SAMPLE_GAMES } from './places.ts'
import { reportTo } from './report.ts'
import type { Compose, Surroundings } from './roles.ts'

/** What ends, in the order in which it must. */
type Ending = () => Promise<void>

/** The roles that the configuration names, on NATS or on what is within this process. */
export const compose: Compose = async (surroundings) => {
  const { config, log, metrics } = surroundings
  const has = (role: Config['roles'][number]) => config.roles.includes(role)
  // Gateways and media nodes know no games.
  const games = has('engine') ? await expecting([GameFileError], loadGames(config.games ?? SAMPLE_GAMES)) : []
  const ground = await (config.nats === undefined ? openEmbedded(surroundings) : openCluster(surroundings, config.nats))
  // Last in, first out: what others stand on ends last.
  const endings: Ending[] = [() => ground.close()]
  const endAll: Ending = async () => {
    for (const end of endings.toReversed()) await end()
  }
  try {
    const engine = has('engine') ? await openEngine(surroundings, games, ground) : null
    if (engine !== null) {
      endings.push(() => engine.close())
      measureEngine(metrics, engine)
    }
    const media = has('media') ? await startMedia(surroundings, ground.bus) : null
    if (media !== null) {
      endings.push(() => media.close())
      measureMedia(metrics, media)
    }
    const server = has('gateway')
      ? await expecting([CannotServe], openGateway(surroundings, await ground.keys(), ground.bus))
      : null
    if (server !== null) {
      // It carries the last answers of the engine: it closes after that, before what both stand on.
      endings.splice(1, 0, () => server.close())
      endings.push(() => server.drain())
      measureGateway(metrics, server.gateway)
    }
    log.info(
      { roles: config.roles, games: games.map(({ runner }) => runner.id), durability: config.durability },
      'at work',
    )
    return {
      url: server === null ? null : urlOf(config, server.port),
      isReady: () => ground.isConnected() && engine?.isReady !== false && server?.isReady() !== false,
      moveOn: () => ground.moveOn(),
      status: () => ({
        roles: config.roles,
        durability: config.durability,
        ...ground.status(),
        ...engine?.status(),
        ...(media === null ? {} : { media: media.counts() }),
      }),
      media: async (room) => {
        const consumers = (await media?.audit(room)) ?? null
        return consumers && { consumers }
      },
      stop: endAll,
    }
  } catch (error) {
    await endAll()
    throw error
  }
}

const openEngine = async (
  { log, clock, chance }: Surroundings,
  games: Awaited<ReturnType<typeof loadGames>>,
  ground: Ground,
): Promise<Engine> => {
  const { cluster: clusterKey } = await ground.keys()
  const report = reportTo(log, clock)
  const engine = await ground.forEngine(report)
  return Engine.start({ ...engine, bus: ground.bus, clock, chance, games, clusterKey, report })
}

const openGateway = ({ config, log, clock, chance }: Surroundings, keys: Keys, bus: Bus): Promise<GatewayServer> =>
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
