import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { CannotStart, codeOf } from './cannot-start.ts'
import { isLoopback } from './config.ts'

/** How many ports after the default one are tried. */
const PORTS_TRIED = 100

export interface AdminOptions {
  host: string
  port: number
  /** False: where the port is taken, the next free one will do. */
  isPortGiven: boolean
  token: string | undefined
  isReady: () => boolean
  metrics: Registry
  /** What `GET /admin/status` answers: JSON, without names or secrets. */
  status: () => object
  /** What `GET /admin/media/ROOM` answers: JSON; null where there is no video in that room here. */
  media: (room: string) => Promise<object | null>
}

export interface Admin {
  readonly port: number
  /** The port that was asked for was taken, and `port` is another. */
  readonly moved: boolean
  close(): Promise<void>
}

/**
 * Serves `/healthz`, `/readyz`, `/metrics` and `/admin/…`; resolves once it listens. Rejects with CannotStart where it cannot.
 * `/admin` asks for the token where there is one; without one it listens on loopback only, and answers no web page.
 */
export const startAdmin = async (options: AdminOptions): Promise<Admin> => {
  const server = createServer((request, response) => {
    answer(options, request, response).catch(() => send(response, 500, 'text/plain', 'internal error\n'))
  })
  const last = options.isPortGiven || options.port === 0 ? options.port : Math.min(options.port + PORTS_TRIED, 65_535)
  for (let port = options.port; ; port++) {
    const error = await listen(server, options.host, port)
    if (error === null) break
    const isTaken = codeOf(error) === 'EADDRINUSE'
    if (!isTaken || port >= last) throw cannotListen(options.host, port, error)
  }
  const { port } = addressOf(server)
  return { port, moved: options.port !== 0 && port !== options.port, close: () => close(server) }
}

const cannotListen = (host: string, port: number, error: Error): CannotStart => {
  if (codeOf(error) === 'EADDRINUSE')
    return new CannotStart(`port ${port} on ${host} is in use: choose another with --admin-port.`, { cause: error })
  return new CannotStart(`cannot listen on ${host}:${port} (${codeOf(error)}): see --admin-host and --admin-port.`, {
    cause: error,
  })
}

const listen = (server: Server, host: string, port: number): Promise<Error | null> =>
  new Promise((resolve) => {
    const failed = (error: Error) => resolve(error)
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      resolve(null)
    })
  })

const addressOf = (server: Server): AddressInfo => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the admin server has no port')
  return address
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

const answer = async (options: AdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const path = new URL(request.url ?? '/', 'http://admin').pathname
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (path.startsWith('/admin/')) {
    const refusal = refusalOf(options, request)
    if (refusal !== null) return send(response, refusal.status, 'text/plain', `${refusal.reason}\n`)
  }
  if (!isRead) return send(response, 405, 'text/plain', 'GET only\n')
  const mediaRoom = /^\/admin\/media\/([\w-]{1,64})$/.exec(path)?.[1]
  if (mediaRoom !== undefined) {
    const consumers = await options.media(mediaRoom)
    return consumers === null
      ? send(response, 404, 'text/plain', `no video in room ${mediaRoom} here\n`)
      : send(response, 200, 'application/json', `${JSON.stringify(consumers)}\n`)
  }
  switch (path) {
    case '/healthz':
      return send(response, 200, 'text/plain', 'ok\n')
    case '/readyz':
      return options.isReady()
        ? send(response, 200, 'text/plain', 'ready\n')
        : send(response, 503, 'text/plain', 'not ready\n')
    case '/metrics':
      return send(response, 200, options.metrics.contentType, await options.metrics.metrics())
    case '/admin/status':
      return send(response, 200, 'application/json', `${JSON.stringify(options.status())}\n`)
    default:
      return send(
        response,
        404,
        'text/plain',
        'not found: /healthz, /readyz, /metrics, /admin/status and /admin/media/ROOM are here\n',
      )
  }
}

/** Why a request may not use `/admin`, or null. */
const refusalOf = (options: AdminOptions, request: IncomingMessage): { status: number; reason: string } | null => {
  if (options.token !== undefined) {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    return isSame(given, options.token)
      ? null
      : { status: 401, reason: 'send the --admin-token as Authorization: Bearer' }
  }
  // A web page in this machine's browser can reach loopback; under a name of its own, or with its Origin, it shows itself.
  const host = request.headers.host?.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') ?? ''
  if (request.headers.origin !== undefined || !isLoopback(host))
    return { status: 403, reason: 'without an --admin-token, /admin answers local tools only' }
  return null
}

/** In the same time whatever the difference. */
const isSame = (a: string, b: string): boolean => {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

const send = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  response.end(body)
}
