import { decode, encode, SERVER_LIMITS } from '../protocol/codec.ts'
import { OP, type ServerFrame, type Welcome } from '../protocol/frames.ts'
import { parseServerFrame } from '../protocol/parse.ts'
import type { Environment, Socket } from './environment.ts'
import { MadangError } from './error.ts'
import type { ServerTime } from './server-time.ts'

const PING_MS = 10_000
const SILENCE_MS = 25_000
const WELCOME_MS = 10_000
/** After a change of the network, an answer is waited for this long. */
const PROBE_MS = 5_000
/** A server that said BYE and does not close is left after this. */
const BYE_MS = 10_000
/** A close that we made up because the other side did not answer. */
const LOST = 1006

export interface Bye {
  reason: string
  retryAfter: number
  resume: boolean
}

/** How a link ended, and what the server had said about it. */
export interface Ending {
  code: number
  reason: string
  bye: Bye | null
  /** The last ERR that answers no request. */
  error: MadangError | null
  welcomed: boolean
}

export interface LinkListener {
  welcome(welcome: Welcome): void
  /** Every frame after WELCOME but PONG and BYE. */
  frame(frame: ServerFrame): void
  /** Once; nothing follows. */
  ended(ending: Ending): void
}

/**
 * One socket from HELLO to its end: greets, pings every 10 s, and leaves a server that is silent for 25 s.
 * Whatever happens to the socket, the listener hears `ended` once.
 */
export class Link {
  readonly #clock: Environment['clock']
  readonly #time: ServerTime
  readonly #on: LinkListener
  readonly #socket: Socket
  #cancelPing: () => void = () => {}
  #cancelDeath: () => void
  #bye: Bye | null = null
  #error: MadangError | null = null
  #greeted = 0
  #welcomed = false
  #over = false

  constructor(environment: Environment, url: string, hello: Uint8Array, time: ServerTime, on: LinkListener) {
    this.#clock = environment.clock
    this.#time = time
    this.#on = on
    this.#socket = environment.openSocket(url, {
      opened: () => {
        if (this.#over) return
        this.#greeted = this.#clock.now()
        this.#socket.send(hello)
      },
      message: (bytes) => {
        if (!this.#over) this.#heard(bytes)
      },
      closed: (code, reason) => this.#end(code, reason),
    })
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

  #ping(): void {
    this.#cancelPing()
    this.#socket.send(encode([OP.ping, this.#clock.now()]))
    this.#cancelPing = this.#clock.after(PING_MS, () => this.#ping())
  }

  #expectFrame(within: number): void {
    this.#cancelDeath()
    this.#cancelDeath = this.#clock.after(within, () => this.leave(`nothing was heard for ${within / 1000} s`))
  }

  #heard(bytes: Uint8Array): void {
    let frame: ServerFrame | null
    try {
      frame = parseServerFrame(decode(bytes, SERVER_LIMITS))
    } catch (error) {
      this.leave(`the server sent what is no frame: ${error instanceof Error ? error.message : error}`)
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
        this.#bye = { reason: frame[1], retryAfter: frame[2].retryAfter ?? 0, resume: frame[2].resume }
        this.#cancelPing()
        this.#cancelDeath()
        this.#cancelDeath = this.#clock.after(BYE_MS, () => this.leave(frame[1]))
        return
      case OP.err:
        if (frame[1] === null) this.#error = new MadangError(frame[2], frame[3], frame[4])
    }
    if (this.#welcomed) this.#on.frame(frame)
  }

  #end(code: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#cancelPing()
    this.#cancelDeath()
    this.#on.ended({ code, reason, bye: this.#bye, error: this.#error, welcomed: this.#welcomed })
  }
}
