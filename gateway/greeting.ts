import type { Logger } from 'pino'
import type { Chance, Clock } from '../protocol/clock.ts'
import { encode } from '../protocol/codec.ts'
import { CLOSE, Refusal } from '../protocol/errors.ts'
import { FRAME_LIMITS, OP, PROTOCOL_VERSION, type Welcome } from '../protocol/frames.ts'
import type { Connection, Lifecycle, Who } from './connection.ts'
import { readHello, TOKEN_CHARACTERS } from './hello.ts'
import type { Authenticator } from './identity.ts'
import { QUEUE_BYTES, QUEUE_FRAMES } from './lane.ts'

const HELLO_MS = 5_000
const AUTHENTICATION_MS = 10_000
/** HELLOs that may be refused with `bad_frame` before the connection is ended. */
const HELLO_ATTEMPTS = 5

export interface Limits {
  /** Bytes of a frame. */
  frame: number
  /** Frames per second and player, sustained; twice that at once. */
  rate: number
}

export interface GreetingOptions {
  clock: Clock
  chance: Chance
  authenticator: Authenticator
  limits: Limits
  log: Logger
}

type AwaitingHello = Extract<Lifecycle, { is: 'awaiting-hello' }>
type Authenticating = Extract<Lifecycle, { is: 'authenticating' }>

/** Keeps a frame that came before WELCOME, in order; ends the connection where there are too many. */
export const keepWaiting = (connection: Connection, lifecycle: Authenticating, bytes: Uint8Array) => {
  lifecycle.bytes += bytes.length
  lifecycle.waiting.push(bytes)
  if (lifecycle.waiting.length > QUEUE_FRAMES || lifecycle.bytes > QUEUE_BYTES)
    connection.end(CLOSE.policy, 'too many frames before WELCOME')
}

/** A connection's way from its first byte to WELCOME: one HELLO in time, and a token that is good. */
export class Greeting {
  readonly #options: GreetingOptions
  readonly #form: { bytes: number; depth: number }
  /** Hears the frames that waited for WELCOME. */
  readonly #onFrame: (connection: Connection, bytes: Uint8Array) => void

  constructor(options: GreetingOptions, onFrame: (connection: Connection, bytes: Uint8Array) => void) {
    this.#options = options
    this.#form = { bytes: options.limits.frame, depth: FRAME_LIMITS.depth }
    this.#onFrame = onFrame
  }

  /** Starts the time within which a connection must say HELLO. */
  begin(connection: Connection) {
    const cancel = this.#options.clock.after(HELLO_MS, () => connection.end(CLOSE.policy, 'no HELLO in time'))
    connection.lifecycle = { is: 'awaiting-hello', refused: 0, cancel }
  }

  /** Takes the first frame of a connection, or another after a HELLO that was refused. */
  hello(connection: Connection, lifecycle: AwaitingHello, op: number, bytes: Uint8Array) {
    if (op !== OP.hello) return connection.end(CLOSE.policy, 'HELLO comes first')
    const hello = readHello(bytes, this.#form)
    if (typeof hello === 'string') {
      if (++lifecycle.refused >= HELLO_ATTEMPTS) return connection.end(CLOSE.policy, 'no valid HELLO')
      return connection.error(null, 'bad_frame', hello)
    }
    const { clock, log } = this.#options
    lifecycle.cancel()
    const verified = this.#verify(hello.token ?? connection.origin.token)
    connection.origin.token = null
    const cancel = clock.after(AUTHENTICATION_MS, () =>
      this.#refuse(connection, new Refusal('unavailable', 'the token could not be checked in time')),
    )
    connection.lifecycle = { is: 'authenticating', waiting: [], bytes: 0, cancel }
    verified.then(
      ({ id, name, guest }) => {
        cancel()
        const session = hello.session ?? this.#newSession()
        this.#welcome(connection, { player: { id, name }, guest, session }, hello.session !== null)
      },
      (error) => {
        cancel()
        if (error instanceof Refusal) return this.#refuse(connection, error)
        log.error({ err: error }, 'a token could not be checked')
        this.#refuse(connection, new Refusal('unavailable', 'the token could not be checked'))
      },
    )
  }

  async #verify(token: string | null) {
    if (token === null) throw new Refusal('unauthorized', 'a token is needed, in HELLO or with the upgrade request')
    if (token.length > TOKEN_CHARACTERS)
      throw new Refusal('unauthorized', `a token has at most ${TOKEN_CHARACTERS} characters`)
    return this.#options.authenticator.verify(token)
  }

  #welcome(connection: Connection, who: Who, resumed: boolean) {
    const { clock, limits, log } = this.#options
    const { lifecycle } = connection
    if (lifecycle.is !== 'authenticating') return
    // Not spread: V8 would keep the rest of the fields in an array beside it.
    connection.lifecycle = { is: 'online', player: who.player, guest: who.guest, session: who.session }
    const welcome: Welcome = {
      v: PROTOCOL_VERSION,
      session: who.session,
      player: who.player,
      now: clock.now(),
      resumed,
      limits: { frame: limits.frame, rate: limits.rate },
    }
    connection.send([encode([OP.welcome, welcome])])
    log.debug({ conn: connection.id, player: who.player.id, resumed }, 'online')
    for (const frame of lifecycle.waiting) this.#onFrame(connection, frame)
  }

  /** Ends a connection whose token was refused; one whose token could not be checked may come back. */
  #refuse(connection: Connection, refusal: Refusal) {
    if (connection.lifecycle.is !== 'authenticating') return
    connection.error(null, refusal.code, refusal.message)
    if (refusal.code === 'unauthorized') return connection.end(CLOSE.unauthorized, 'unauthorized')
    connection.send([encode([OP.bye, 'unavailable', { retryAfter: 1_000, resume: true }])])
    connection.end(CLOSE.restarting, 'unavailable')
  }

  #newSession(): string {
    return Buffer.from(this.#options.chance.bytes(16)).toString('base64url')
  }
}
