import type { Chance } from '../../protocol/clock.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { Auth } from '../auth.ts'
import type { Gateway } from '../gateway.ts'
import type { Limits } from '../greeting.ts'
import type { Identity } from '../identity.ts'
import { identify } from './identify.ts'
import { getMe } from './me.ts'
import type { OriginPolicy } from './origin.ts'
import { getPoll, type ReadRoutes } from './poll.ts'
import { type HttpReply, type HttpRequest, type StreamReply, tooMany } from './reply.ts'
import { postFrames } from './send.ts'
import { getEvents } from './sse.ts'

interface Methods {
  get?: Handler
  post?: Handler
}

export interface TransportRoutes extends ReadRoutes {
  gateway: Gateway
  auth: Auth
  allows: OriginPolicy
  chance: Chance
  limits: Limits
}

type Handler = (request: HttpRequest) => Promise<HttpReply | StreamReply>

/** Returns what the transports that are no WebSocket answer, by path and method. All need a player, whose rate they draw from. */
export const transportHandlers = (routes: TransportRoutes): Map<string, Methods> => {
  const { gateway } = routes

  const known = async (request: HttpRequest): Promise<Identity> => {
    const identity = await identify(request, routes).catch((error: unknown) => {
      // What has no player is limited by where it comes from.
      const retryAfter = gateway.drawAddress(request.address)
      if (retryAfter > 0) throw new Refusal('rate_limited', 'too many requests: try again later', { retryAfter })
      throw error
    })
    // Last, for a drain that has begun meanwhile says BYE only to what was there.
    if (gateway.isDraining) throw new Refusal('unavailable', 'this server is draining: try again')
    return identity
  }
  const getting =
    (handler: (request: HttpRequest, identity: Identity) => Promise<HttpReply | StreamReply> | HttpReply): Handler =>
    async (request) => {
      const identity = await known(request)
      const retryAfter = gateway.drawFor(identity, request.address)
      return retryAfter > 0 ? tooMany(retryAfter) : handler(request, identity)
    }

  return new Map<string, Methods>([
    // Its frames draw from the rate, each by itself.
    ['/v1/send', { post: async (request) => postFrames(request, await known(request), routes) }],
    ['/v1/sse', { get: getting((request, identity) => getEvents(request, identity, routes)) }],
    ['/v1/poll', { get: getting((request, identity) => getPoll(request, identity, routes)) }],
    ['/v1/me', { get: getting((_request, identity) => getMe(identity, routes)) }],
  ])
}
