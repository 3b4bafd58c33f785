import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Auth } from './auth.ts'
import { createGateway, type Gateway, type GatewayOptions } from './gateway.ts'
import { clientAddress, credentialsOf } from './http/credentials.ts'
import { originPolicy } from './http/origin.ts'
import { problem } from './http/reply.ts'
import { createRouter } from './http/router.ts'
import { staticFiles } from './static.ts'
import { Topics } from './topics.ts'
import { answer, headersOf, textOf, withSecurity, write } from './uws-http.ts'
import { type SocketState, UwsSocket } from './uws-socket.ts'
import { remembering } from './verified.ts'

declare module 'uWebSockets.js' {
  interface TemplatedApp {
    /** Takes options between port and callback, as upstream's own example of an exclusive port does. */
    listen(host: string, port: number, options: number, cb: (socket: us_listen_socket | false) => void): TemplatedApp
  }
}

export interface GatewayServerOptions extends Omit<GatewayOptions, 'publish' | 'authenticator'> {
  host: string
  /** 0 picks a free one. */
  port: number
  auth: Auth
  /** Origins whose pages may connect; null: those of the same host. */
  origins: readonly string[] | null
  /** How many proxies in front set X-Forwarded-For. */
  trustProxy: number
  /** Paths of PEM files; null: no TLS. */
  tls: { cert: string; key: string } | null
  /** Where the built page is. */
  files: string
  /** Whether the other roles of this process can serve. */
  isReady: () => boolean
}

export interface GatewayServer {
  readonly gateway: Gateway
  readonly port: number
  /** True once an engine is there, until `drain`. */
  isReady(): boolean
  /** Says BYE to everyone, lets what is under way be answered, and ends all sockets with 1012. `/readyz` says 503 from now on. */
  drain(): Promise<void>
  /** Stops listening and cuts what is left. */
  close(): Promise<void>
}

/** The server cannot be as it was asked to; the message says what to change. */
export class CannotServe extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CannotServe'
  }
}

/** The port is taken, or not ours to listen on. */
export class PortInUse extends CannotServe {
  constructor(host: string, port: number) {
    super(
      `cannot listen on ${host}:${port}: the port is in use, or not allowed. Choose another with --port, or --host.`,
    )
    this.name = 'PortInUse'
  }
}

const EXCLUSIVE_PORT = 1
/** How often another process may snatch the port that was picked. */
const PICKS = 8
const SUBPROTOCOL = 'madang.v1'
/** Messages longer than the frame limit reach us up to this many times it, so that 1009 can be said; beyond, uWS cuts. */
const OVERSIZE = 8
const HARD_LIMIT_BYTES = 1_048_576

/** Starts the gateway on a real port. Rejects with CannotServe. One uWebSockets.js app: WebSocket, HTTP API and static files. */
export const startGateway = async (options: GatewayServerOptions): Promise<GatewayServer> => {
  // Read once, when the module loads: headers over 4 KB (a JWT in a cookie) would get 431.
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= '16384'
  const { default: uws } = await import('uWebSockets.js')
  const { auth, chance, clock, clusterKey, files, isReady, limits, log, origins, tls, trustProxy } = options
  const app: TemplatedApp = tls ? secureApp(uws, tls) : uws.App()
  const topics = new Topics()
  const gateway = createGateway({
    ...options,
    authenticator: auth,
    publish(topic, bytes) {
      app.publish(topic, bytes, true)
      topics.publish(topic, bytes)
    },
  })
  const canServe = () => !gateway.isDraining && gateway.engines > 0 && isReady()
  const allows = originPolicy(origins)
  const router = createRouter({
    gateway,
    auth: { ...auth, verify: remembering(auth, clock) },
    clock,
    chance,
    clusterKey,
    frame: limits.frame,
    limits,
    topics,
    allows,
    files: staticFiles(files),
    isReady: canServe,
    log,
  })

  app.ws<SocketState>('/v1/ws', {
    maxPayloadLength: limits.frame * OVERSIZE,
    maxBackpressure: HARD_LIMIT_BYTES,
    compression: uws.DISABLED,
    // The gateway feels pulses itself: uWS counts what it sends as a sign of life.
    idleTimeout: 0,
    sendPingsAutomatically: false,
    upgrade(res, req, context) {
      const headers = headersOf(req)
      const origin = headers.get('origin')
      if (origin !== undefined && !allows(origin, headers.get('host')))
        return write(res, 'GET', withSecurity(problem('forbidden', 'this Origin is not allowed: see --origins')))
      if (gateway.isDraining) return write(res, 'GET', withSecurity(problem('unavailable', 'this server is draining')))
      const offered = (headers.get('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim())
      const state: SocketState = {
        token: credentialsOf(headers.get('authorization'), headers.get('cookie'))?.token ?? null,
        address: clientAddress(textOf(res.getRemoteAddressAsText()), headers.get('x-forwarded-for'), trustProxy),
        isOpen: false,
        hasDropped: false,
        peer: null,
      }
      const key = headers.get('sec-websocket-key') ?? ''
      const protocol = offered.includes(SUBPROTOCOL) ? SUBPROTOCOL : ''
      res.upgrade(state, key, protocol, headers.get('sec-websocket-extensions') ?? '', context)
    },
    open(ws) {
      const state = ws.getUserData()
      state.isOpen = true
      state.peer = gateway.open(new UwsSocket(ws, state), state)
    },
    message(ws, message, isBinary) {
      const { peer } = ws.getUserData()
      if (isBinary) peer?.binary(new Uint8Array(message))
      else peer?.text()
    },
    ping: (ws) => ws.getUserData().peer?.alive(),
    pong: (ws) => ws.getUserData().peer?.alive(),
    dropped(ws) {
      const state = ws.getUserData()
      if (state.hasDropped) return
      state.hasDropped = true
      // Not at once: uWS is walking through its topics, and crashes when a socket leaves one meanwhile.
      clock.soon(() => {
        state.hasDropped = false
        if (state.isOpen) state.peer?.dropped()
      })
    },
    drain: (ws) => ws.getUserData().peer?.drained(),
    close(ws, code) {
      const state = ws.getUserData()
      state.isOpen = false
      state.peer?.closed(code)
    },
  })

  app.any('/*', (res, req) => answer(res, req, router, trustProxy, tls !== null))

  const listen = (port: number): Promise<us_listen_socket | false> =>
    new Promise((resolve) => app.listen(options.host, port, EXCLUSIVE_PORT, resolve))
  let listening = options.port === 0 ? false : await listen(options.port)
  for (let tries = 0; options.port === 0 && !listening && tries < PICKS; tries++)
    listening = await listen(await freePort(options.host))
  if (!listening) {
    gateway.close()
    app.close()
    throw new PortInUse(options.host, options.port)
  }
  let isListening = true

  return {
    gateway,
    port: uws.us_socket_local_port(listening),
    isReady: () => isListening && canServe(),
    drain: () => gateway.drain(),
    async close() {
      if (!isListening) return
      isListening = false
      app.close()
      gateway.close()
    },
  }
}

/** Throws CannotServe where the files are no certificate and its key. */
const secureApp = (uws: Pick<typeof import('uWebSockets.js'), 'SSLApp'>, tls: { cert: string; key: string }) => {
  try {
    return uws.SSLApp({ cert_file_name: tls.cert, key_file_name: tls.key })
  } catch (cause) {
    throw new CannotServe('--tls-cert and --tls-key must be a certificate and its key, both in PEM form.', { cause })
  }
}

/**
 * A port that was free just now. uWS's own way to pick one leaves it without SO_REUSEADDR: after a crash nobody could listen on
 * it again for a minute.
 */
const freePort = async (host: string): Promise<number> => {
  const probe = createServer().listen(0, host)
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return address !== null && typeof address === 'object' ? address.port : 0
}
