import http from 'k6/http'
import { WebSocket } from 'k6/websockets'
import { Feed } from '../../client/feed.ts'
import { decode, encode, SERVER_LIMITS } from '../../protocol/codec.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import {
  type ClientFrame,
  OP,
  type PlayerId,
  PROTOCOL_VERSION,
  type Ref,
  type RoomDocument,
  type RoomId,
  type ServerFrame,
} from '../../protocol/frames.ts'
import { parseServerFrame } from '../../protocol/parse.ts'

/** No guest stays longer: whatever hangs, a run ends. */
const LIFETIME_MS = 30_000

/**
 * What can go wrong beside the protocol's error codes. `no_guest`: not let in. `closed`: the server ended the connection.
 * `malformed`: what it sent is no frame. `gap`: a PATCH that does not fit the document. `not_shown`: a move that was
 * acknowledged before its document came. `stuck`: nothing came any more.
 */
export const FAULTS = ['no_guest', 'closed', 'malformed', 'gap', 'not_shown', 'stuck'] as const
export type Fault = ErrorCode | (typeof FAULTS)[number]

export class Failure extends Error {
  readonly code: Fault
  constructor(code: Fault, message: string) {
    super(message)
    this.code = code
  }
}

interface Waiting<T> {
  resolve(value: T): void
  reject(failure: Failure): void
}

/**
 * A guest with one connection, and one room at a time. Unlike the SDK it never tries again: every refusal, gap and cut is a
 * Failure, and the first one ends it.
 */
export class Session {
  readonly #socket: WebSocket
  readonly #lifetime: ReturnType<typeof setTimeout>
  readonly #feed = new Feed()
  readonly #asked = new Map<Ref, Waiting<unknown>>()
  #welcome: Waiting<PlayerId> | null = null
  #change: Waiting<void> | null = null
  #failure: Failure | null = null
  #left = false
  #nextRef = 1
  #player: PlayerId = ''

  private constructor(url: string) {
    this.#lifetime = setTimeout(() => this.#fail('stuck', `not done after ${LIFETIME_MS / 1000} s`), LIFETIME_MS)
    this.#socket = new WebSocket(url, 'madang.v1')
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.onmessage = ({ data }) => this.#heard(data)
    this.#socket.onerror = ({ error }) => this.#fail('closed', error)
    this.#socket.onclose = ({ code, reason }) => this.#fail('closed', `the server closed with ${code} ${reason ?? ''}`)
  }

  /** A new guest, connected and welcomed. Rejects with Failure. */
  static async arrive(origin: string, name: string): Promise<Session> {
    const token = await newGuest(origin, name)
    const session = new Session(`${origin.replace(/^http/, 'ws')}/v1/ws`)
    session.#player = await new Promise((resolve, reject) => {
      session.#welcome = { resolve, reject }
      session.#socket.onopen = () => session.#send([OP.hello, { v: PROTOCOL_VERSION, token }])
    })
    return session
  }

  get player(): PlayerId {
    return this.#player
  }

  /** What this guest may know of the room. Throws Failure before `join`. */
  get document(): RoomDocument {
    if (this.#feed.document !== null) return this.#feed.document
    throw new Failure('gap', 'there is no document yet')
  }

  /** The value of the OK. Rejects with Failure. */
  ask(frame: (ref: Ref) => ClientFrame): Promise<unknown> {
    const ref = this.#nextRef++
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure)
      this.#asked.set(ref, { resolve, reject })
      this.#send(frame(ref))
    })
  }

  /** A seat in a public room of that game, kept for this guest. Rejects with Failure. */
  async match(game: string): Promise<RoomId> {
    const value = await this.ask((ref) => [OP.match, ref, game])
    if (typeof value === 'object' && value !== null && 'room' in value && typeof value.room === 'string')
      return value.room
    throw new Failure('malformed', 'MATCH was answered without a room')
  }

  /** Resolves once this guest is in the room and holds its document. Rejects with Failure. */
  async join(room: RoomId): Promise<void> {
    await this.ask((ref) => [OP.join, ref, room, { role: 'player' }])
    this.#feed.answer()
    while (this.#feed.document === null) await this.changed()
  }

  /** Resolves when the document has changed. Rejects with Failure. */
  changed(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure)
      this.#change = { resolve, reject }
    })
  }

  leave(): void {
    this.#left = true
    clearTimeout(this.#lifetime)
    this.#socket.close(1000)
  }

  /** Nothing may throw inside a socket's events: k6 would begin the next iteration, and this one's guests would hang. */
  #send(frame: ClientFrame): void {
    try {
      this.#socket.send(encode(frame))
    } catch (error) {
      this.#fail('closed', `could not send: ${error}`)
    }
  }

  #heard(data: unknown): void {
    try {
      if (!(data instanceof ArrayBuffer)) throw new Error('a text message')
      const frame = parseServerFrame(decode(new Uint8Array(data), SERVER_LIMITS))
      if (frame !== null) this.#take(frame)
    } catch (error) {
      this.#fail('malformed', String(error))
    }
  }

  #take(frame: ServerFrame): void {
    switch (frame[0]) {
      case OP.welcome:
        this.#welcome?.resolve(frame[1].player.id)
        return
      case OP.ok:
        this.#answer(frame[1])?.resolve(frame[2])
        return
      case OP.err:
        if (frame[1] === null) this.#fail(frame[2], frame[3])
        else this.#answer(frame[1])?.reject(new Failure(frame[2], frame[3]))
        return
      case OP.state:
        if (this.#feed.state(frame)) this.#change?.resolve()
        return
      case OP.patch: {
        const outcome = this.#feed.patch(frame)
        if (outcome === 'applied') this.#change?.resolve()
        if (outcome === 'gap') this.#fail('gap', `a PATCH from ${frame[2]} came to a document at ${this.#feed.seq}`)
      }
    }
  }

  #answer(ref: Ref): Waiting<unknown> | undefined {
    const waiting = this.#asked.get(ref)
    this.#asked.delete(ref)
    return waiting
  }

  /** Ends the session: all that waits, and all that will, hears the first failure. */
  #fail(code: Fault, message: string): void {
    if (this.#left || this.#failure !== null) return
    this.#failure = new Failure(code, message)
    for (const waiting of [this.#welcome, this.#change, ...this.#asked.values()]) waiting?.reject(this.#failure)
    this.leave()
  }
}

const newGuest = async (origin: string, name: string): Promise<string> => {
  const headers = { 'content-type': 'application/json' }
  const { status, body, error } = await http.asyncRequest('POST', `${origin}/v1/guests`, JSON.stringify({ name }), {
    headers,
  })
  if (status !== 201) throw new Failure('no_guest', `POST /v1/guests: ${status || error} ${body ?? ''}`)
  return JSON.parse(body ?? '').token
}
