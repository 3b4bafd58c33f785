import type { Chance, Clock } from '../../protocol/clock.ts'
import type { OpenSocket, SocketListener } from '../environment.ts'

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

/**
 * A network in virtual time: each direction of each connection keeps its order and takes 1 to 20 ms a message; a cut loses what
 * is on its way. `down`: no connection can be opened.
 */
export class TestNetwork {
  down = false
  /** Silent: connections stay open and nothing arrives any more. */
  silent = false
  opened = 0
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #accept: (end: ServerEnd, url: string) => ServerListener
  readonly #pipes = new Set<Pipe>()

  constructor(clock: Clock, chance: Chance, accept: (end: ServerEnd, url: string) => ServerListener) {
    this.#clock = clock
    this.#chance = chance
    this.#accept = accept
  }

  get connections(): number {
    return this.#pipes.size
  }

  cut(): void {
    for (const pipe of [...this.#pipes]) pipe.cut()
  }

  readonly openSocket: OpenSocket = (url, client) => {
    let open = true
    let server: ServerListener | null = null
    const toServer = this.#line(() => open)
    const toClient = this.#line(() => open)
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
      if (this.down) return end(1006, '', client)
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

  #line(open: () => boolean): (task: () => void) => void {
    let last = 0
    return (task) => {
      const due = Math.max(last, this.#clock.now() + 1 + (this.#chance.uint32() % 20))
      last = due
      this.#clock.after(due - this.#clock.now(), () => {
        if (open() && !this.silent) task()
      })
    }
  }
}
