import { type Head, readHead, scan } from '../protocol/codec.ts'
import { CLOSE, MalformedFrame } from '../protocol/errors.ts'
import { FRAME_LIMITS, OP, type RoomId } from '../protocol/frames.ts'
import { type Connection, errFrame, type Lifecycle, type Who } from './connection.ts'
import type { GatewayCounters } from './counters.ts'
import { Greeting, type GreetingOptions, keepWaiting } from './greeting.ts'
import { Lane, type LaneEnd } from './lane.ts'
import type { MediaCalls } from './media-calls.ts'
import { pongTo } from './pong.ts'
import { RateLimit } from './rate.ts'
import { routeOf } from './route.ts'

const ROOMS_PER_CONNECTION = 64
/** Guests of one address together, in rates of one player. */
const GUESTS_PER_ADDRESS = 20
/** CASTs and INPUTs have rates of their own in the engine; this only bounds what reaches it. */
const EPHEMERAL_RATES = 10

export interface ReceptionOptions extends GreetingOptions {
  clusterKey: Uint8Array
  counters: GatewayCounters
  lanes: LaneEnd
  mediaCalls: MediaCalls
}

/** What clients send: checked in form, PING answered here, everything else put into the lane of its room. */
export class Reception {
  readonly #options: ReceptionOptions
  readonly #greeting: Greeting
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
    this.#greeting = new Greeting(options, (connection, frame) => this.#open(connection, frame, clock.now()))
  }

  /** Takes one from a player's rate and, for guests, from an address's; returns the ms to wait, or 0. */
  draw({ player, guest }: Pick<Who, 'player' | 'guest'>, address: string, now = this.#options.clock.now()): number {
    const retryAfter = this.players.take(player.id, now)
    if (retryAfter > 0 || !guest) return retryAfter
    const addressRetryAfter = this.addresses.take(address, now)
    if (addressRetryAfter > 0) this.players.giveBack(player.id)
    return addressRetryAfter
  }

  /** The ERR of a frame that is refused for its rate or its head, or 'dropped' where none is due; null for any other. Draws from the rates. */
  refusal(who: Who, address: string, { op, ref, bad }: Head, now: number): Uint8Array | 'dropped' | null {
    const { counters, limits } = this.#options
    const isSilent = op === OP.cast || op === OP.input
    const retryAfter = isSilent ? this.#ephemeral.take(who.player.id, now) : this.draw(who, address, now)
    if (retryAfter === 0) return bad === null ? null : errFrame(ref, 'bad_frame', bad)
    if (isSilent) {
      counters.dropsEphemeral++
      return 'dropped'
    }
    counters.rateLimited++
    return errFrame(ref, 'rate_limited', `more than ${limits.rate} frames a second`, { retryAfter })
  }

  /** How many rates are remembered. */
  get size(): number {
    return this.players.size + this.addresses.size + this.#ephemeral.size
  }

  close() {
    for (const limit of [this.players, this.addresses, this.#ephemeral]) limit.close()
  }

  greet(connection: Connection) {
    this.#greeting.begin(connection)
  }

  /** Copies of `bytes` what it keeps: they may be gone after the call. */
  receive(connection: Connection, bytes: Uint8Array, now: number) {
    const { counters } = this.#options
    counters.framesIn++
    counters.bytesIn += bytes.length
    this.#open(connection, bytes, now)
  }

  #open(connection: Connection, bytes: Uint8Array, now: number) {
    const { lifecycle } = connection
    if (lifecycle.is === 'closed') return
    if (bytes.length > this.#form.bytes) return connection.end(CLOSE.tooLarge, `more than ${this.#form.bytes} bytes`)
    if (lifecycle.is === 'authenticating') return keepWaiting(connection, lifecycle, copyOf(bytes))
    let head: Head
    try {
      scan(bytes, this.#form)
      head = readHead(bytes)
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error
      return connection.end(CLOSE.malformed, 'malformed frame')
    }
    if (lifecycle.is === 'awaiting-hello') this.#greeting.hello(connection, lifecycle, head.op, bytes)
    else this.#frame(connection, lifecycle, head, bytes, now)
  }

  #frame(
    connection: Connection,
    lifecycle: Extract<Lifecycle, { is: 'online' | 'leaving' }>,
    head: Head,
    bytes: Uint8Array,
    now: number,
  ) {
    const { op, ref } = head
    const refusal = this.refusal(lifecycle, connection.origin.address, head, now)
    if (refusal === 'dropped') return
    if (refusal) return connection.send([refusal])
    if (op === OP.hello) return connection.error(null, 'bad_frame', 'HELLO was already said')
    if (op === OP.ping) return this.#ping(connection, bytes, now)
    if (lifecycle.is === 'leaving') {
      if (op !== OP.cast && op !== OP.input)
        connection.error(ref, 'unavailable', 'the server is about to close: come back and send it again')
      return
    }
    if (this.#pass(connection, lifecycle, head, bytes)) return
    if (ref === null) this.#options.counters.dropsEphemeral++
    else
      connection.error(
        ref,
        'unavailable',
        'too many requests of this connection wait for an answer: send it again later',
      )
  }

  #ping(connection: Connection, bytes: Uint8Array, now: number) {
    const pong = pongTo(bytes, now)
    if (pong === null) connection.error(null, 'bad_frame', 'PING: a number t was expected')
    else connection.send([pong])
  }

  /** False where too much of this connection waits already. */
  #pass(connection: Connection, who: Who, head: Head, bytes: Uint8Array): boolean {
    const { op, ref, room, isMedia } = head
    if (isMedia && room !== null && ref !== null)
      return this.#options.mediaCalls.send(connection, who, room, ref, copyOf(bytes))
    const joins = op === OP.join
    if (joins && room !== null) {
      if (!connection.joined.has(room) && connection.joined.size >= ROOMS_PER_CONNECTION) {
        connection.error(ref, 'forbidden', `a connection joins at most ${ROOMS_PER_CONNECTION} rooms: LEAVE one`)
        return true
      }
      connection.joined.set(room, true)
    }
    const { room: id, subject } = routeOf(head, who, this.#options.clusterKey)
    return this.#lane(connection, who, id).push({ bytes: copyOf(bytes), ref, joins, subject })
  }

  #lane(connection: Connection, { player, session, guest }: Who, room: RoomId): Lane {
    const present = connection.lanes.get(room)
    if (present) return present
    const lane = new Lane(this.#options.lanes, connection, { player, session, guest }, room)
    connection.lanes.set(room, lane)
    return lane
  }
}

/** From Node's pool, which is many times faster than a buffer each. */
const copyOf = (bytes: Uint8Array): Uint8Array => Buffer.from(bytes)
