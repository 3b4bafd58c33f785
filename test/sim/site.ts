import { pino } from 'pino'
import type { Bus } from '../../bus/bus.ts'
import type { Auth } from '../../gateway/auth.ts'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import type { HttpReply, HttpRequest, StreamReply } from '../../gateway/http/reply.ts'
import { createRouter } from '../../gateway/http/router.ts'
import { Topics } from '../../gateway/topics.ts'
import type { Chance } from '../../protocol/clock.ts'
import type { Host, Place } from './host.ts'

/** Ids of rooms follow from it, at gateways and engines. */
export const CLUSTER_KEY = new Uint8Array(32).fill(7)
/** A token is the player's name. */
const AUTH: Auth = { verify: async (token) => ({ id: token, name: token, guest: false }), admitGuest: null }
const LIMITS = { frame: 16_384, rate: 50 }
const LOG = pino({ level: 'silent' })

/** A gateway, what answers HTTP there, and who subscribes to which of its topics. */
export interface Site {
  readonly name: string
  readonly host: Host
  readonly gateway: Gateway
  readonly topics: Topics
  readonly answer: (request: HttpRequest) => Promise<HttpReply | StreamReply>
}

/** An address, and the gateway that takes connections there now. */
export interface Door {
  readonly place: Place
  site: Site
  /** A proxy before it swallows the requests for a WebSocket. */
  swallowsUpgrades: boolean
}

/** A gateway that runs on this host, with its HTTP interface. */
export const openSite = (id: string, host: Host, { bus, chance }: { bus: Bus; chance: Chance }): Site => {
  const topics = new Topics()
  const shared = { clock: host.clock, chance, clusterKey: CLUSTER_KEY, limits: LIMITS, log: LOG }
  const gateway = createGateway({
    ...shared,
    id,
    bus,
    authenticator: AUTH,
    publish: (topic, bytes) => topics.publish(topic, bytes),
  })
  const answer = createRouter({
    ...shared,
    gateway,
    topics,
    auth: AUTH,
    frame: LIMITS.frame,
    allows: () => true,
    files: { reply: () => null },
    isReady: () => true,
  })
  return { name: host.name, host, gateway, topics, answer }
}
