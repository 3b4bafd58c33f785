import { concat, decode, encode } from '../../protocol/codec.ts'
import { CLOSE } from '../../protocol/errors.ts'
import { OP, type Ref } from '../../protocol/frames.ts'
import { backoff } from '../backoff.ts'
import type { Environment } from '../environment.ts'
import { MadangError } from '../error.ts'
import { type Bye, type Link, type LinkListener, LOST, type Pass, type TransportName } from '../link.ts'
import { jsonOf, problemOf, textOf } from '../problem.ts'
import type { ServerTime } from '../server-time.ts'
import type { Wire } from '../wire.ts'
import { ANSWER_MS } from './channel.ts'
import { framesIn } from './frames.ts'
import { type Answer, Http } from './http.ts'
import { me } from './me.ts'
import { Rooms } from './rooms.ts'
import { Uplink, type Upward } from './uplink.ts'

const PING_MS = 10_000
/** A link on which nothing was heard for this long, more than a poll is held, looks whether the server is there. */
const QUIET_MS = 28_000
/** How long the server has to show that it is there, ms. */
const PROBE_MS = 5_000
const RETRY_CAP_MS = 5_000
/** Requests in a row without an answer after which the link is at its end. */
const FAILURES = 3
export interface HttpLinkParts {
  readonly environment: Environment
  /** `http://host` or `https://host`, without a slash at the end. */
  readonly origin: string
  readonly transport: Exclude<TransportName, 'websocket'>
  readonly pass: Pass
  readonly time: ServerTime
  readonly wire: Wire
  /** Ms between two polls. */
  readonly pollInterval: number
}

/** A connection made of HTTP requests: `GET /v1/me` stands for HELLO and WELCOME, what goes up is posted, and each room has its channel. */
export class HttpLink implements Link {
  readonly #parts: HttpLinkParts
  readonly #on: LinkListener
  readonly #http: Http
  readonly #uplink: Uplink
  readonly #rooms: Rooms
  #welcomed = false
  #over = false
  #heardAt: number
  #pingedAt: number
  #failures = 0
  #probing = false
  #cancelQuiet: () => void = () => {}

  constructor(parts: HttpLinkParts, on: LinkListener) {
    const { environment, transport } = parts
    const { clock } = environment
    this.#parts = parts
    this.#on = on
    this.#heardAt = clock.now()
    this.#pingedAt = clock.now()
    this.#http = new Http({ ...parts, heard: () => this.#heard() })
    this.#rooms = new Rooms({
      environment,
      http: this.#http,
      transport,
      pollInterval: parts.pollInterval,
      refused: (answer, times) => this.#refused(answer, times),
      unfit: (reason) => this.#unfit(reason),
      frame: (frame, atHead) => {
        if (!this.#over) on.frame(frame, atHead)
      },
      adrift: (room) => on.adrift(room),
      // On a stream the end without resume says what close code 4002 says on a socket.
      bye: (bye) => this.#end({ code: bye.resume ? CLOSE.restarting : CLOSE.takenOver, reason: bye.reason, bye }),
      unreadable: (room) => this.#end({ code: LOST, reason: `room ${room} cannot be read` }),
      events: (text, frames) => this.#tellEvents(text, frames),
    })
    this.#uplink = new Uplink({ clock, post: (body, batch) => this.#post(body, batch) })
    void this.#greet()
  }

  get open(): boolean {
    return this.#welcomed && !this.#over
  }

  get buffered(): number {
    return this.#uplink.buffered
  }

  send(bytes: Uint8Array): void {
    if (!this.open) return
    const frame = decode(bytes)
    if (!Array.isArray(frame)) return
    const op: number = frame[0]
    const hasRef = op !== OP.cast && op !== OP.input
    const room = hasRef ? frame[2] : frame[1]
    const isGame = op === OP.create || op === OP.match
    this.#uplink.send({ op, ref: hasRef ? frame[1] : null, room: isGame ? null : room, frame, bytes })
  }

  probe(): void {
    if (!this.open || this.#probing) return
    this.#probing = true
    this.#rooms.probe()
    this.#reachable().then((reachable) => {
      this.#probing = false
      if (!reachable) this.#end({ code: LOST, reason: 'the server does not answer', silent: true })
    })
  }

  leave(reason: string): void {
    this.#end({ code: LOST, reason })
  }

  async #greet(): Promise<void> {
    const { environment, pass, time } = this.#parts
    const asked = environment.clock.now()
    let answer: Answer
    try {
      answer = await this.#http.ask('/v1/me', ANSWER_MS).answer
    } catch (error) {
      this.#end({ code: LOST, reason: error instanceof Error ? error.message : String(error) })
      return
    }
    if (this.#over) return
    if (answer.status !== 200) {
      const body = jsonOf(answer.body)
      const error = problemOf(answer.status, body, 'GET /v1/me')
      const code = answer.status === 401 && textOf(body, 'code') !== null ? CLOSE.unauthorized : LOST
      this.#end({ code, reason: error.message, error: withRetryAfter(error, answer.retryAfter) })
      return
    }
    const welcome = me(answer.body, pass.session)
    if (welcome === null) {
      this.#end({ code: LOST, reason: 'GET /v1/me was answered by something else' })
      return
    }
    this.#welcomed = true
    time.heard(asked, welcome.now)
    this.#watch()
    this.#on.welcome(welcome)
  }

  #heard(): void {
    this.#heardAt = this.#parts.environment.clock.now()
  }

  #watch(): void {
    const { clock } = this.#parts.environment
    const quiet = clock.now() - this.#heardAt
    const isQuiet = quiet >= QUIET_MS
    if (isQuiet) this.probe()
    this.#cancelQuiet = clock.after(isQuiet ? QUIET_MS : QUIET_MS - quiet, () => this.#watch())
  }

  async #reachable(): Promise<boolean> {
    try {
      const { status } = await this.#http.ask('/v1/me', PROBE_MS).answer
      return status < 500
    } catch {
      return false
    }
  }

  async #post(body: Uint8Array, batch: readonly Upward[]): Promise<'answered' | { again: number } | 'over'> {
    const { clock } = this.#parts.environment
    const asked = clock.now()
    let answer: Answer
    try {
      answer = await this.#http.ask('/v1/send', ANSWER_MS, concat(body, this.#ping(asked))).answer
    } catch (error) {
      if (this.#over) return 'over'
      if (error instanceof MadangError && error.detail === 'timeout') {
        this.#end({ code: LOST, reason: error.message, silent: true })
        return 'over'
      }
      const again = this.#refused(null, ++this.#failures)
      return again === null ? 'over' : { again }
    }
    if (this.#over) return 'over'
    if (answer.status !== 200) {
      const again = this.#refused(answer, ++this.#failures)
      return again === null ? 'over' : { again }
    }
    this.#failures = 0
    return this.#answered(answer.body, batch)
  }

  /** Now and then a PING goes along with what goes up anyway: its answer tells the server's time. */
  #ping(now: number): Uint8Array {
    if (now - this.#pingedAt < PING_MS) return new Uint8Array()
    this.#pingedAt = now
    return encode([OP.ping, now])
  }

  #answered(body: Uint8Array, batch: readonly Upward[]): 'answered' | 'over' {
    const asked = new Map<Ref, Upward>()
    for (const frame of batch) if (frame.ref !== null) asked.set(frame.ref, frame)
    try {
      for (const frame of framesIn(body)) {
        if (frame[0] === OP.pong) this.#parts.time.heard(frame[1], frame[2])
        else if (frame[0] === OP.ok) this.#rooms.ok(frame, asked.get(frame[1]))
        else if (frame[0] === OP.err) this.#rooms.err(frame, asked.get(frame[1] ?? 0))
        if (this.#over) return 'over'
      }
    } catch (error) {
      this.#end({ code: LOST, reason: `what the server answered cannot be read: ${error}` })
      return 'over'
    }
    return 'answered'
  }

  /** An answer to what goes up that is not 200, or none. Ms to wait before the next attempt; null where the link is at its end. */
  #refused(answer: Pick<Answer, 'status' | 'retryAfter' | 'body'> | null, times: number): number | null {
    const { chance } = this.#parts.environment
    const status = answer?.status ?? 0
    const retryAfter = answer?.retryAfter ?? 0
    const wait = retryAfter + backoff(times, chance, RETRY_CAP_MS)
    if (status === 429) return wait
    const body = jsonOf(answer?.body ?? new Uint8Array())
    // What names no code was not said by the server, but by something between.
    if (status === 0 || status >= 500 || textOf(body, 'code') === null) {
      if (times < FAILURES) return wait
      const bye = { reason: `the server answered ${status}`, retryAfter, resume: true }
      this.#end({ code: LOST, reason: bye.reason, bye: retryAfter > 0 ? bye : null })
      return null
    }
    const { message } = problemOf(status, body, 'a request')
    if (status === 401) this.#end({ code: CLOSE.unauthorized, reason: message })
    else this.#end({ code: status === 403 ? CLOSE.policy : CLOSE.malformed, reason: message })
    return null
  }

  /** Where the server cannot be reached at all, that is no fault of the transport. */
  #unfit(reason: string): void {
    this.#reachable().then((unfit) => this.#end({ code: LOST, reason, unfit }))
  }

  #tellEvents(text: string, frames: readonly unknown[]): void {
    const { wire, transport } = this.#parts
    if (!wire.watched) return
    const bytes = new TextEncoder().encode(text).length
    wire.tell({ transport, direction: 'down', kind: 'frames', bytes, text, frames })
  }

  #end(end: {
    code: number
    reason: string
    bye?: Bye | null
    error?: MadangError
    unfit?: boolean
    silent?: boolean
  }): void {
    if (this.#over) return
    this.#over = true
    this.#cancelQuiet()
    this.#uplink.close()
    this.#rooms.end()
    this.#http.close()
    const { code, reason, bye = null, error = null, unfit = false, silent = false } = end
    this.#on.ended({ code, reason, bye, error, welcomed: this.#welcomed, unfit, silent })
  }
}

const withRetryAfter = (error: MadangError, retryAfter: number): MadangError =>
  retryAfter === 0 ? error : new MadangError(error.code, error.message, { retryAfter })
