import type { Logger } from 'pino'
import type { Clock } from '../../protocol/clock.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { Auth } from '../auth.ts'
import type { Gateway } from '../gateway.ts'
import type { StaticFiles } from '../static.ts'
import { postGuest } from './guests.ts'
import { identify } from './identify.ts'
import { corsHeaders, type OriginPolicy, preflight } from './origin.ts'
import { type HttpReply, type HttpRequest, json, problem, refused, type StreamReply, tooMany } from './reply.ts'
import { getGames, getRoom, getRooms, postRoom, type RoomRoutes } from './rooms.ts'
import { Seats } from './seats.ts'
import { type TransportRoutes, transportHandlers } from './transports.ts'

export interface RouterOptions extends RoomRoutes, Omit<TransportRoutes, 'seats'> {
  gateway: Gateway
  auth: Auth
  clock: Clock
  allows: OriginPolicy
  files: StaticFiles
  /** Whether this process can serve; `/readyz` says so. */
  isReady: () => boolean
  log: Logger
}

type Reply = HttpReply | StreamReply
type Handler = (request: HttpRequest) => Promise<Reply> | Reply
type Methods = { get?: Handler; post?: Handler }

/** Of every reply: a page of ours runs only our own code, is framed by nobody and tells nobody where it was. */
export const SECURITY_HEADERS: Record<string, string> = {
  'Content-Security-Policy':
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(self), microphone=(self), geolocation=()',
}

/** Returns the function that answers every HTTP request that is no upgrade. It never rejects. */
export const createRouter = (options: RouterOptions) => {
  const { gateway, auth, allows, files, isReady, log } = options

  const createRoom: Handler = async (request) => {
    const identity = await identify(request, options)
    const retryAfter = gateway.draw(identity.id)
    return retryAfter > 0 ? tooMany(retryAfter) : postRoom(request, identity, options)
  }

  const live: Methods = { get: () => json(200, { status: 'ok' }) }
  const ready: Methods = {
    get: () =>
      isReady()
        ? json(200, { status: 'ready' })
        : problem('unavailable', gateway.isDraining ? 'this server is draining' : 'not ready yet'),
  }
  const api = new Map<string, Methods>([
    ['/v1/guests', { post: (request) => postGuest(request, auth) }],
    ['/v1/games', { get: () => getGames(options) }],
    ['/v1/rooms', { get: (request) => getRooms(request, options), post: createRoom }],
    [
      '/v1/ws',
      {
        get: () =>
          problem('bad_frame', 'open a WebSocket here', {
            status: 426,
            headers: { Upgrade: 'websocket', Connection: 'Upgrade' },
          }),
      },
    ],
  ])
  const transports = transportHandlers({ ...options, seats: new Seats() })
  const page: Methods = {
    get: (request) => files.reply(request.path, request.headers) ?? problem('not_found', 'there is nothing here'),
  }

  const methodsOf = (path: string): Methods => {
    if (path === '/healthz') return live
    if (path === '/readyz') return ready
    if (!path.startsWith('/v1/')) return page
    const room = /^\/v1\/rooms\/([^/]+)$/.exec(path)?.[1]
    if (room !== undefined) return { get: () => getRoom(room, options) }
    return transports.get(path) ?? api.get(path) ?? {}
  }

  const route = async (request: HttpRequest): Promise<Reply> => {
    const methods = methodsOf(request.path)
    const isApi = request.path.startsWith('/v1/')
    const isTransport = transports.has(request.path)
    const names = Object.keys(methods).map((name) => name.toUpperCase())
    if (names.length === 0) return problem('not_found', 'there is no such resource')
    const allow = [...names, ...(methods.get && !isTransport ? ['HEAD'] : []), 'OPTIONS'].join(', ')
    const origin = request.headers.get('origin')
    const isForeign = origin !== undefined && !allows(origin, request.headers.get('host'))
    if (request.method === 'OPTIONS')
      return isForeign && isApi
        ? problem('forbidden', 'this Origin is not allowed')
        : preflight(allow, origin !== undefined && isApi)
    const handler =
      request.method === 'HEAD' && !isTransport
        ? methods.get
        : request.method === 'GET'
          ? methods.get
          : request.method === 'POST'
            ? methods.post
            : undefined
    if (!handler)
      return problem('bad_frame', `${request.method} is not for this resource`, {
        status: 405,
        headers: { Allow: allow },
      })
    if (isForeign && request.method === 'POST') return problem('forbidden', 'this Origin is not allowed')
    if (isApi && !isTransport) {
      const retryAfter = gateway.drawAddress(request.address)
      if (retryAfter > 0) return tooMany(retryAfter)
    }
    return handler(request)
  }

  return async (request: HttpRequest): Promise<Reply> => {
    const reply = await route(request).catch((error: unknown) => {
      if (error instanceof Refusal) return refused(error)
      log.error({ err: error, path: request.path }, 'a request failed')
      return problem('internal', 'something failed here, and was logged')
    })
    // Of what transports say nothing is ever shown as a page, and a poll is mostly its headers.
    const security = transports.has(request.path) ? { 'X-Content-Type-Options': 'nosniff' } : SECURITY_HEADERS
    const cors = request.path.startsWith('/v1/') ? corsHeaders(request, allows) : {}
    return { ...reply, headers: { ...security, ...cors, ...reply.headers } }
  }
}
