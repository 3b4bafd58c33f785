import { decode } from '../../protocol/codec.ts'
import { CLOSE, messageOf } from '../../protocol/errors.ts'
import { OP } from '../../protocol/frames.ts'
import type { Environment } from '../environment.ts'
import { MadangError } from '../error.ts'
import { type Ending, endingOf, type Link, type LinkListener, LOST, type Pass, type TransportName } from '../link.ts'
import { jsonOf, problemOf, textOf } from '../problem.ts'
import type { ServerTime } from '../server-time.ts'
import type { Wire } from '../wire.ts'
import { ANSWER_MS } from './channel.ts'
import { type Answer, Http } from './http.ts'
import { me } from './me.ts'
import { Post } from './post.ts'
import { Pulse } from './pulse.ts'
import { afterRefusal, type Refused } from './refusal.ts'
import { Rooms } from './rooms.ts'
import { isMediaCall, Uplink } from './uplink.ts'

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

/**
 * A connection made of HTTP requests: `GET /v1/me` stands for HELLO and WELCOME, what goes up is posted, and each room has its channel.
 *
 * Owns the requests (`Http`), what goes up (two `Uplink`s, through `Post`), the rooms' channels (`Rooms`) and the look at the server
 * (`Pulse`). Any of them can end it; after its end none of them is heard.
 */
export class HttpLink implements Link {
  readonly #parts: HttpLinkParts
  readonly #on: LinkListener
  readonly #http: Http
  readonly #pulse: Pulse
  readonly #uplink: Uplink
  readonly #mediaUplink: Uplink
  readonly #rooms: Rooms
  #welcomed = false
  #over = false

  constructor(parts: HttpLinkParts, on: LinkListener) {
    const { environment, transport, pollInterval, time } = parts
    const { clock } = environment
    this.#parts = parts
    this.#on = on
    const http = new Http({ ...parts, heard: () => this.#pulse.heard() })
    const refused = (answer: Refused, times: number): number | null => this.#refused(answer, times)
    this.#http = http
    this.#pulse = new Pulse(clock, http, () =>
      this.#end(endingOf(LOST, 'the server does not answer', { silent: true })),
    )
    this.#rooms = new Rooms({
      environment,
      http,
      transport,
      pollInterval,
      refused,
      // Where the server cannot be reached at all, that is no fault of the transport.
      unfit: (reason) => void this.#pulse.reachable().then((unfit) => this.#end(endingOf(LOST, reason, { unfit }))),
      frame: (frame, atHead) => {
        if (!this.#over) on.frame(frame, atHead)
      },
      adrift: (room) => on.adrift(room),
      // On a stream the end without resume says what close code 4002 says on a socket.
      bye: (bye) => this.#end(endingOf(bye.resume ? CLOSE.restarting : CLOSE.takenOver, bye.reason, { bye })),
      unreadable: (room) => this.#end(endingOf(LOST, `room ${room} cannot be read`)),
      events: (text, frames) => this.#tellEvents(text, frames),
    })
    const post = new Post({
      clock,
      http,
      time,
      refused,
      answered: (frame, asked) => this.#rooms.answered(frame, asked),
      failed: (reason, silent) => this.#end(endingOf(LOST, reason, { silent })),
    })
    const uplink = (): Uplink => new Uplink({ clock, post: (body, batch) => post.send(body, batch) })
    this.#uplink = uplink()
    this.#mediaUplink = uplink()
    void this.#greet()
  }

  get open(): boolean {
    return this.#welcomed && !this.#over
  }

  get buffered(): number {
    return this.#uplink.buffered + this.#mediaUplink.buffered
  }

  send(bytes: Uint8Array): void {
    if (!this.open) return
    const frame = decode(bytes)
    if (!Array.isArray(frame)) return
    const op: number = frame[0]
    const hasRef = op !== OP.cast && op !== OP.input
    const room = hasRef ? frame[2] : frame[1]
    const isGame = op === OP.create || op === OP.match
    const upward = { op, ref: hasRef ? frame[1] : null, room: isGame ? null : room, frame, bytes }
    const uplink = isMediaCall(upward) ? this.#mediaUplink : this.#uplink
    uplink.send(upward)
  }

  probe(): void {
    if (!this.open) return
    this.#rooms.probe()
    this.#pulse.probe()
  }

  leave(reason: string): void {
    this.#end(endingOf(LOST, reason))
  }

  async #greet(): Promise<void> {
    const { environment, pass, time } = this.#parts
    const asked = environment.clock.now()
    let answer: Answer
    try {
      answer = await this.#http.ask('/v1/me', ANSWER_MS).answer
    } catch (error) {
      this.#end(endingOf(LOST, messageOf(error)))
      return
    }
    if (this.#over) return
    if (answer.status !== 200) {
      this.#end(notWelcome(answer))
      return
    }
    const welcome = me(answer.body, pass.session)
    if (welcome === null) {
      this.#end(endingOf(LOST, 'GET /v1/me was answered by something else'))
      return
    }
    this.#welcomed = true
    time.heard(asked, welcome.now)
    this.#pulse.watch()
    this.#on.welcome(welcome)
  }

  #refused(refused: Refused, times: number): number | null {
    const next = afterRefusal(refused, times, this.#parts.environment.chance)
    if (typeof next === 'number') return next
    this.#end(next)
    return null
  }

  #tellEvents(text: string, frames: readonly unknown[]): void {
    const { wire, transport } = this.#parts
    if (!wire.watched) return
    const bytes = new TextEncoder().encode(text).length
    wire.tell({ transport, direction: 'down', kind: 'frames', bytes, text, frames })
  }

  #end(ending: Ending): void {
    if (this.#over) return
    this.#over = true
    this.#pulse.stop()
    this.#uplink.close()
    this.#mediaUplink.close()
    this.#rooms.end()
    this.#http.close()
    this.#on.ended({ ...ending, welcomed: this.#welcomed })
  }
}

/** The ending that an answer of `GET /v1/me` other than 200 stands for. Pure. */
const notWelcome = ({ status, body, retryAfter }: Answer): Ending => {
  const json = jsonOf(body)
  const { code, message, detail } = problemOf(status, json, 'GET /v1/me')
  const error = new MadangError(code, message, retryAfter > 0 ? { retryAfter } : detail)
  return endingOf(status === 401 && textOf(json, 'code') !== null ? CLOSE.unauthorized : LOST, message, { error })
}
