import { decode, encode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { messageOf } from '../../protocol/errors.ts'
import { OP, PROTOCOL_VERSION, type ServerFrame } from '../../protocol/frames.ts'
import { parseServerFrame } from '../../protocol/parse.ts'
import type { Environment, Socket } from '../environment.ts'
import { MadangError } from '../error.ts'
import { type Bye, byeOf, endingOf, type Link, type LinkListener, LOST, type Pass, PING_MS, PROBE_MS } from '../link.ts'
import type { ServerTime } from '../server-time.ts'
import type { Wire } from '../wire.ts'

const SILENCE_MS = 25_000
const WELCOME_MS = 10_000
/** A server that said BYE and does not close is left after this. */
const BYE_MS = 10_000
/** The bytes of a WebSocket frame's header by the length of what it carries; what goes up is masked. */
const headerBytes = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10)
const MASK_BYTES = 4

export interface WebSocketParts {
  readonly environment: Environment
  /** `http://host` or `https://host`, without a slash at the end. */
  readonly origin: string
  readonly pass: Pass
  readonly time: ServerTime
  readonly wire: Wire
}

/**
 * One socket from HELLO to its end: greets, pings every 10 s, and leaves a server that is silent for 25 s.
 * Whatever happens to the socket, the listener hears `ended` once.
 */
export class WebSocketLink implements Link {
  readonly #clock: Environment['clock']
  readonly #time: ServerTime
  readonly #wire: Wire
  readonly #on: LinkListener
  readonly #socket: Socket
  #cancelPing: () => void = () => {}
  #cancelDeath: () => void
  #bye: Bye | null = null
  #error: MadangError | null = null
  #greeted = 0
  #welcomed = false
  #silent = false
  #over = false

  /** Throws MadangError `forbidden` where the page may not open a WebSocket. */
  constructor({ environment, origin, pass, time, wire }: WebSocketParts, on: LinkListener) {
    this.#clock = environment.clock
    this.#time = time
    this.#wire = wire
    this.#on = on
    const url = `${origin.replace(/^http/, 'ws')}/v1/ws`
    try {
      this.#socket = environment.openSocket(url, {
        opened: () => {
          if (this.#over) return
          wire.head('websocket', 'down', 'HTTP/1.1 101 Switching Protocols\r\n\r\n')
          this.#greet(pass)
        },
        message: (bytes) => {
          if (!this.#over) this.#heard(bytes)
        },
        closed: (code, reason) => this.#end(code, reason),
      })
    } catch (error) {
      throw new MadangError('forbidden', `a WebSocket to ${url} is not allowed here: ${error}`)
    }
    wire.head(
      'websocket',
      'up',
      `GET ${new URL(url).pathname} HTTP/1.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-protocol: madang.v1\r\n\r\n`,
    )
    this.#cancelDeath = this.#clock.after(WELCOME_MS, () => this.leave('the server did not answer'))
  }

  /** False between BYE and the end: what is sent then may be lost. */
  get open(): boolean {
    return this.#welcomed && !this.#over && this.#bye === null
  }

  get buffered(): number {
    return this.#socket.buffered
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes)
    if (this.#wire.watched) this.#tell('up', bytes, decode(bytes, SERVER_LIMITS))
  }

  /** Asks the server for a sign of life, and leaves it if none comes soon. */
  probe(): void {
    if (!this.open) return
    this.#expectFrame(PROBE_MS)
    this.#ping()
  }

  /** Ends the link from this side. */
  leave(reason: string): void {
    if (this.#over) return
    this.#socket.close()
    this.#end(LOST, reason)
  }

  #greet({ token, session }: Pass): void {
    this.#greeted = this.#clock.now()
    const hello = { v: PROTOCOL_VERSION, ...(token === null ? {} : { token }), session, client: 'madang-js' }
    this.send(encode([OP.hello, hello]))
  }

  #ping(): void {
    this.#cancelPing()
    this.send(encode([OP.ping, this.#clock.now()]))
    this.#cancelPing = this.#clock.after(PING_MS, () => this.#ping())
  }

  #expectFrame(within: number): void {
    this.#cancelDeath()
    this.#cancelDeath = this.#clock.after(within, () => {
      this.#silent = true
      this.leave(`nothing was heard for ${within / 1000} s`)
    })
  }

  #heard(bytes: Uint8Array): void {
    let frame: ServerFrame | null
    try {
      const value = decode(bytes, SERVER_LIMITS)
      if (this.#wire.watched) this.#tell('down', bytes, value)
      frame = parseServerFrame(value)
    } catch (error) {
      this.leave(`the server sent what is no frame: ${messageOf(error)}`)
      return
    }
    if (this.#welcomed && this.#bye === null) this.#expectFrame(SILENCE_MS)
    if (frame !== null) this.#took(frame)
  }

  #took(frame: ServerFrame): void {
    switch (frame[0]) {
      case OP.welcome:
        if (this.#welcomed) return
        this.#welcomed = true
        this.#expectFrame(SILENCE_MS)
        this.#time.heard(this.#greeted, frame[1].now)
        this.#on.welcome(frame[1])
        // At once: checking a token takes its time, so that WELCOME tells the server's time badly.
        if (this.open) this.#ping()
        return
      case OP.pong:
        this.#time.heard(frame[1], frame[2])
        return
      case OP.bye:
        this.#bye = byeOf(frame)
        this.#cancelPing()
        this.#cancelDeath()
        this.#cancelDeath = this.#clock.after(BYE_MS, () => this.leave(frame[1]))
        return
      case OP.err:
        if (frame[1] === null) this.#error = new MadangError(frame[2], frame[3], frame[4])
    }
    if (this.#welcomed) this.#on.frame(frame, false)
  }

  #tell(direction: 'up' | 'down', message: Uint8Array, frame: unknown): void {
    const bytes = message.length + headerBytes(message.length) + (direction === 'up' ? MASK_BYTES : 0)
    this.#wire.tell({ transport: 'websocket', direction, kind: 'frames', bytes, text: null, frames: [frame] })
  }

  #end(code: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#cancelPing()
    this.#cancelDeath()
    const [bye, error, welcomed, silent] = [this.#bye, this.#error, this.#welcomed, this.#silent]
    this.#on.ended(endingOf(code, reason, { bye, error, welcomed, silent }))
  }
}
