import type { Logger } from 'pino'
import { commandSubject, matchPartition, partitionOf } from '../bus/subjects.ts'
import type { Chance, Clock } from '../protocol/clock.ts'
import { decode, encode, type Head, readHead, scan } from '../protocol/codec.ts'
import { CLOSE, MalformedFrame, Refusal } from '../protocol/errors.ts'
import { FRAME_LIMITS, OP, PROTOCOL_VERSION, type RoomId, type Welcome } from '../protocol/frames.ts'
import type { Connection, Who } from './connection.ts'
import type { GatewayCounters } from './counters.ts'
import { readHello, TOKEN_CHARACTERS } from './hello.ts'
import type { Authenticator } from './identity.ts'
import { Lane, type LaneEnd, QUEUE_BYTES, QUEUE_FRAMES } from './lane.ts'
import { RateLimit } from './rate.ts'
import { createdRoom } from './room-id.ts'

const HELLO_MS = 5_000
const AUTHENTICATION_MS = 10_000
/** HELLOs that may be refused with `bad_frame` before the connection is ended. */
const HELLO_ATTEMPTS = 5
const ROOMS_PER_CONNECTION = 64
/** Guests of one address together, in rates of one player. */
const GUESTS_PER_ADDRESS = 20
/** CASTs and INPUTs have rates of their own in the engine; this only bounds what reaches it. */
const EPHEMERAL_RATES = 10

export interface Limits {
  /** Bytes of a frame. */
  frame: number
  /** Frames per second and player, sustained; twice that at once. */
  rate: number
}

export interface ReceptionOptions {
  clock: Clock
  chance: Chance
  authenticator: Authenticator
  clusterKey: Uint8Array
  limits: Limits
  counters: GatewayCounters
  log: Logger
  lanes: LaneEnd
}

/** What clients send: checked in form, HELLO and PING answered here, everything else put into the lane of its room. */
export class Reception {
  readonly #options: ReceptionOptions
  readonly #form: { bytes: number; depth: number }
  readonly players: RateLimit
  readonly addresses: RateLimit
  readonly #ephemeral: RateLimit

  constructor(options: ReceptionOptions) {
    this.#options = options
    const { clock, limits } = options
    this.#form = { bytes: limits.frame, depth: FRAME_LIMITS.depth }
    const rate = (times: number) => new RateLimit(clock, limits.rate * times, limits.rate * times * 2)
    this.players = rate(1)
    this.addresses = rate(GUESTS_PER_ADDRESS)
    this.#ephemeral = rate(EPHEMERAL_RATES)
  }

  /** How many rates are remembered. */
  get size(): number {
    return this.players.size + this.addresses.size + this.#ephemeral.size
  }

  close() {
    for (const limit of [this.players, this.addresses, this.#ephemeral]) limit.close()
  }

  /** Starts the time within which a connection must say HELLO. */
  greet(connection: Connection) {
    const cancel = this.#options.clock.after(HELLO_MS, () => connection.end(CLOSE.policy, 'no HELLO in time'))
    connection.lifecycle = { is: 'awaiting-hello', refused: 0, cancel }
  }

  receive(connection: Connection, bytes: Uint8Array) {
    const { lifecycle } = connection
    if (lifecycle.is === 'closed') return
    const { counters } = this.#options
    counters.framesIn++
    counters.bytesIn += bytes.length
    if (bytes.length > this.#form.bytes) return connection.end(CLOSE.tooLarge, `more than ${this.#form.bytes} bytes`)
    if (lifecycle.is === 'authenticating') {
      lifecycle.bytes += bytes.length
      lifecycle.waiting.push(bytes)
      if (lifecycle.waiting.length > QUEUE_FRAMES || lifecycle.bytes > QUEUE_BYTES)
        connection.end(CLOSE.policy, 'too many frames before WELCOME')
      return
    }
    let head: Head
    try {
      scan(bytes, this.#form)
      head = readHead(bytes)
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error
      return connection.end(CLOSE.malformed, 'malformed frame')
    }
    if (lifecycle.is === 'awaiting-hello') this.#hello(connection, lifecycle, head, bytes)
    else this.#frame(connection, lifecycle, head, bytes)
  }

  #hello(
    connection: Connection,
    lifecycle: Extract<Connection['lifecycle'], { is: 'awaiting-hello' }>,
    head: Head,
    bytes: Uint8Array,
  ) {
    if (head.op !== OP.hello) return connection.end(CLOSE.policy, 'HELLO comes first')
    const hello = readHello(bytes, this.#form)
    if (typeof hello === 'string') {
      if (++lifecycle.refused >= HELLO_ATTEMPTS) return connection.end(CLOSE.policy, 'no valid HELLO')
      return connection.error(null, 'bad_frame', hello)
    }
    const { clock, log } = this.#options
    lifecycle.cancel()
    const verified = this.#verify(hello.token ?? connection.origin.token)
    const cancel = clock.after(AUTHENTICATION_MS, () =>
      this.#refuse(connection, new Refusal('unavailable', 'the token could not be checked in time')),
    )
    connection.lifecycle = { is: 'authenticating', waiting: [], bytes: 0, cancel }
    verified.then(
      (identity) => {
        if (connection.lifecycle.is !== 'authenticating') return
        cancel()
        const { waiting } = connection.lifecycle
        const { id, name, guest } = identity
        this.#welcome(
          connection,
          { player: { id, name }, guest, session: hello.session ?? this.#newSession() },
          hello.session !== null,
        )
        for (const frame of waiting) {
          this.#options.counters.framesIn--
          this.#options.counters.bytesIn -= frame.length
          this.receive(connection, frame)
        }
      },
      (error) => {
        cancel()
        if (!(error instanceof Refusal)) log.error({ err: error }, 'a token could not be checked')
        this.#refuse(
          connection,
          error instanceof Refusal ? error : new Refusal('unavailable', 'the token could not be checked'),
        )
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
    connection.lifecycle = { is: 'online', ...who }
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

  #frame(
    connection: Connection,
    lifecycle: Extract<Connection['lifecycle'], { is: 'online' | 'leaving' }>,
    head: Head,
    bytes: Uint8Array,
  ) {
    const { op, ref } = head
    const isSilent = op === OP.cast || op === OP.input
    const retryAfter = isSilent ? this.#ephemeral.take(lifecycle.player.id) : this.#draw(connection, lifecycle)
    if (retryAfter > 0) {
      if (isSilent) this.#options.counters.dropsEphemeral++
      else {
        this.#options.counters.rateLimited++
        connection.error(ref, 'rate_limited', `more than ${this.#options.limits.rate} frames a second`, { retryAfter })
      }
      return
    }
    if (head.bad !== null) return connection.error(ref, 'bad_frame', head.bad)
    if (op === OP.hello) return connection.error(null, 'bad_frame', 'HELLO was already said')
    if (op === OP.ping) return this.#ping(connection, bytes)
    if (lifecycle.is === 'leaving') {
      if (!isSilent) connection.error(ref, 'unavailable', 'the server is about to close: come back and send it again')
      return
    }
    this.#pass(connection, lifecycle, head, bytes)
  }

  /** Takes one from the player's rate and, for guests, from the address's; returns the ms to wait, or 0. */
  #draw(connection: Connection, { player, guest }: Who): number {
    const retryAfter = this.players.take(player.id)
    if (retryAfter > 0 || !guest) return retryAfter
    const addressRetryAfter = this.addresses.take(connection.origin.address)
    if (addressRetryAfter > 0) this.players.giveBack(player.id)
    return addressRetryAfter
  }

  #ping(connection: Connection, bytes: Uint8Array) {
    const frame = decode(bytes, this.#form)
    const t: unknown = Array.isArray(frame) ? frame[1] : undefined
    if (typeof t !== 'number') return connection.error(null, 'bad_frame', 'PING: a number t was expected')
    connection.send([encode([OP.pong, t, this.#options.clock.now()])])
  }

  #pass(connection: Connection, who: Who, { op, ref, room, game }: Head, bytes: Uint8Array) {
    const joins = op === OP.join
    if (joins && room !== null) {
      if (!connection.joined.has(room) && connection.joined.size >= ROOMS_PER_CONNECTION)
        return connection.error(ref, 'forbidden', `a connection joins at most ${ROOMS_PER_CONNECTION} rooms: LEAVE one`)
      connection.joined.add(room)
    }
    const id =
      op === OP.match ? '' : (room ?? createdRoom(this.#options.clusterKey, who.player.id, who.session, ref ?? 0))
    const partition = op === OP.match ? matchPartition(game ?? '') : partitionOf(id)
    if (this.#lane(connection, who, id).push({ bytes, ref, joins, subject: commandSubject(partition) })) return
    if (ref === null) this.#options.counters.dropsEphemeral++
    else
      connection.error(
        ref,
        'unavailable',
        'too many requests of this connection wait for an answer: send it again later',
      )
  }

  #lane(connection: Connection, { player, session, guest }: Who, room: RoomId): Lane {
    const present = connection.lanes.get(room)
    if (present) return present
    const lane = new Lane(this.#options.lanes, connection, { player, session, guest }, room)
    connection.lanes.set(room, lane)
    return lane
  }
}
