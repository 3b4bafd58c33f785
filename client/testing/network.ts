import type { Chance, Clock } from '../../protocol/clock.ts'
import type { Fetch, Network, OpenSocket, SocketListener } from '../environment.ts'
import { Exchange, type ServeHttp } from './exchange.ts'

/** A device whose network is always there. */
export const ONLINE: Network = { online: () => true, watch: () => () => {} }

/** The server's end of one connection. */
export interface ServerEnd {
  send(bytes: Uint8Array): void
  close(code: number, reason?: string): void
}

/** What the server does with a connection. */
export interface ServerListener {
  message(bytes: Uint8Array): void
  gone(): void
}

interface Pipe {
  /** Ends it at once for both ends, and loses what is on its way. */
  cut(): void
}

/** What something between does to what passes it. */
export interface Proxy {
  /** WebSocket upgrades: pass, are refused at once, or are never answered. */
  upgrades: 'pass' | 'refuse' | 'swallow'
  /** Holds bodies back until they are at their end. */
  buffers: boolean
  /** Cuts a request that carried nothing for so long, ms. */
  idle: number
  /** Loses this answer to a POST after it took effect: asked for each. */
  loses(): boolean
}

/**
 * A network in virtual time: each direction of each connection keeps its order and takes 1 to 20 ms a message; a cut loses what
 * is on its way. `down`: no connection can be opened.
 */
export class TestNetwork {
  down = false
  /** Silent: connections stay open and nothing arrives any more. */
  silent = false
  /** WebSockets alone are silent. */
  silentSockets = false
  proxy: Proxy = { upgrades: 'pass', buffers: false, idle: Number.POSITIVE_INFINITY, loses: () => false }
  /** WebSockets that reached the server. */
  opened = 0
  /** Requests that reached the server: `GET /v1/me`. */
  readonly requests: string[] = []
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #accept: (end: ServerEnd, url: string) => ServerListener
  readonly #serve: ServeHttp
  readonly #pipes = new Set<Pipe>()

  constructor(clock: Clock, chance: Chance, accept: (end: ServerEnd, url: string) => ServerListener, serve: ServeHttp) {
    this.#clock = clock
    this.#chance = chance
    this.#accept = accept
    this.#serve = serve
  }

  /** Sockets and requests that are under way. */
  get connections(): number {
    return this.#pipes.size
  }

  cut(): void {
    for (const pipe of [...this.#pipes]) pipe.cut()
  }

  readonly openSocket: OpenSocket = (url, client) => {
    let open = true
    let server: ServerListener | null = null
    const passes = (): boolean => open && !this.silent && !this.silentSockets
    const toServer = this.#line(passes)
    const toClient = this.#line(passes)
    const end = (code: number, reason: string, told: SocketListener): void => {
      if (!open) return
      open = false
      this.#pipes.delete(pipe)
      server?.gone()
      this.#clock.after(0, () => told.closed(code, reason))
    }
    const pipe: Pipe = { cut: () => end(1006, '', client) }
    this.#pipes.add(pipe)
    toServer(() => {
      if (this.down || this.proxy.upgrades === 'refuse') return end(1006, '', client)
      if (this.proxy.upgrades === 'swallow') return
      this.opened++
      server = this.#accept(
        {
          send: (bytes) => toClient(() => client.message(bytes)),
          close: (code, reason = '') => toClient(() => end(code, reason, client)),
        },
        url,
      )
      toClient(() => client.opened())
    })
    return {
      send: (bytes) => toServer(() => server?.message(bytes)),
      close: (code = 1000, reason = '') => end(code, reason, client),
      buffered: 0,
    }
  }

  readonly fetch: Fetch = (url, init) => {
    const { proxy } = this
    let open = true
    const passes = (): boolean => open && !this.silent
    const exchange = new Exchange({
      clock: this.#clock,
      down: this.#line(passes),
      holdsBack: proxy.buffers,
      idle: proxy.idle,
      losesAnswer: init.method === 'POST' && url.endsWith('/v1/send') && proxy.loses(),
      over: () => {
        open = false
        this.#pipes.delete(pipe)
      },
    })
    const pipe: Pipe = { cut: () => exchange.cut('the connection was cut') }
    this.#pipes.add(pipe)
    init.signal.addEventListener('abort', () => exchange.cut('aborted'), { once: true })
    if (init.signal.aborted) exchange.cut('aborted')
    this.#line(passes)(() => {
      if (this.down) return exchange.cut('there is no network')
      const { pathname, search } = new URL(url)
      this.requests.push(`${init.method} ${pathname}`)
      const { body } = init
      const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : (body ?? new Uint8Array())
      exchange.reached(
        this.#serve(
          {
            method: init.method,
            path: pathname,
            query: new URLSearchParams(search),
            headers: init.headers,
            body: bytes,
          },
          exchange,
        ),
      )
    })
    return exchange.answer
  }

  #line(passes: () => boolean): (task: () => void) => void {
    let last = 0
    return (task) => {
      const due = Math.max(last, this.#clock.now() + 1 + (this.#chance.uint32() % 20))
      last = due
      this.#clock.after(due - this.#clock.now(), () => {
        if (passes()) task()
      })
    }
  }
}
