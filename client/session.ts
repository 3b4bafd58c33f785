import {
  type ClientFrame,
  FRAME_LIMITS,
  OP,
  type PlayerId,
  type Ref,
  type Role,
  type RoomId,
  type ServerFrame,
  type SessionId,
  type Welcome,
} from '../protocol/frames.ts'
import { Connection, type SessionState } from './connection.ts'
import { type Credential, Entrance } from './entrance.ts'
import type { Environment } from './environment.ts'
import { MadangError } from './error.ts'
import type { GameLike } from './game.ts'
import { TRANSPORTS, type TransportName } from './link.ts'
import { Memberships } from './memberships.ts'
import { encodeFrame, Requests } from './requests.ts'
import { type Room, roomOf } from './room.ts'
import { ServerTime } from './server-time.ts'
import { Emitter, type Readable } from './store.ts'
import { Wire, type WireEvent } from './wire.ts'

/** CASTs and INPUTs are dropped while this many bytes wait for the network: newer ones are worth more. */
const BUFFERED_BYTES = 65_536

export interface SessionSettings {
  /** `http://host` or `https://host`, without a slash at the end. */
  readonly origin: string
  readonly credential: Credential
  readonly id: SessionId
  /** The first ref: above all that this session id used before. */
  readonly firstRef: Ref
  /** Ms until a request without an answer fails. */
  readonly deadline: number
  readonly transport: 'auto' | TransportName
  /** Ms between two polls, where the transport is `poll`. */
  readonly pollInterval: number
}

export type SessionEvents = {
  /** An error that answers no request, such as a CAST on a channel that does not allow it. */
  error: [error: MadangError]
  /** The session runs over this transport now. */
  transport: [name: TransportName]
  /** What crosses the wire, for who wants to show or measure it. Costs nothing while nobody listens. */
  wire: [event: WireEvent]
}

/**
 * A player's connection to a server, which mends itself: what was asked and not answered is asked again, rooms are joined
 * again where they stood, and every request takes effect at most once. Made by `connect`.
 *
 * @example
 * const session = connect({ url: 'http://localhost:3000', guest: 'Ann' })
 * const room = await session.join<typeof tictactoe>(await session.match('tictactoe'))
 */
export class Session {
  /** The session's string; give it to `connect` to go on with the session after a page was loaded again. */
  readonly id: SessionId
  /** Resolves with the player at the first connection; rejects where the session is closed before. */
  readonly ready: Promise<{ id: PlayerId; name: string }>
  readonly #deadline: number
  readonly #entrance: Entrance
  readonly #connection: Connection
  readonly #requests: Requests
  readonly #memberships: Memberships
  readonly #events = new Emitter<SessionEvents>()
  readonly #time: ServerTime
  readonly #settle: { resolve(player: { id: PlayerId; name: string }): void; reject(error: MadangError): void }
  #player: { id: PlayerId; name: string } | null = null
  #frameLimit: number = FRAME_LIMITS.bytes

  constructor(environment: Environment, settings: SessionSettings) {
    const { clock, chance } = environment
    this.#deadline = settings.deadline
    this.id = settings.id
    const { promise, resolve, reject } = Promise.withResolvers<{ id: PlayerId; name: string }>()
    promise.catch(() => {})
    this.ready = promise
    this.#settle = { resolve, reject }
    this.#time = new ServerTime(clock)
    const { id: session, transport, ...how } = settings
    this.#entrance = new Entrance({ ...how, environment, session, time: this.#time, wire: new Wire(this.#events) })
    this.#connection = new Connection(environment, transport, this.#entrance, {
      welcome: (welcome) => this.#welcome(welcome),
      frame: (frame, atHead) => this.#frame(frame, atHead),
      adrift: (room) => this.#memberships.rejoin(room),
      lost: () => this.#lost(),
      closed: (error) => this.#closed(error),
    })
    this.#connection.transport.subscribe((name) => {
      if (name !== null) this.#events.emit('transport', name)
    })
    this.#requests = new Requests(clock, chance, settings.origin, settings.firstRef, (bytes) =>
      this.#connection.send(bytes),
    )
    this.#memberships = new Memberships({
      ask: (frame, answer) => this.#requests.ask(frame, this.#deadline, answer),
      askNow: (frame, answer) => this.#requests.ask(frame, null, answer),
      tell: (frame) => this.#tell(frame),
      isOpen: () => this.#connection.open,
      environment,
      session: this.#connection.state,
      transport: this.#connection.transport,
    })
    this.#connection.start()
  }

  /** Who the server says this is; null before the first connection. */
  get player(): { readonly id: PlayerId; readonly name: string } | null {
    return this.#player
  }

  /** The token: the one given, or the guest's own, to be kept by who wants to be the same guest again. */
  get token(): string | null {
    return this.#entrance.token
  }

  get state(): Readable<SessionState> {
    return this.#connection.state
  }

  /** What the session runs over; null while there is no connection. */
  get transport(): Readable<TransportName | null> {
    return this.#connection.transport
  }

  /**
   * Goes on over this transport alone; `auto`: over the best that works, as at the beginning. Rooms, requests and the order of everything stay.
   * Resolves once it does; rejects with MadangError `unavailable` where it could not be opened: then all is as it was before.
   */
  use(transport: 'auto' | TransportName): Promise<void> {
    if (transport !== 'auto' && !TRANSPORTS.includes(transport))
      return Promise.reject(new TypeError(`use: a transport is auto, ${TRANSPORTS.join(', ')}`))
    return this.#connection.use(transport)
  }

  /** Calls `listener` at each event; returns the end of it. */
  on<K extends keyof SessionEvents>(name: K, listener: (...args: SessionEvents[K]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /** A new room, which this player hosts and has not joined; resolves with its id. */
  async create(game: string, options?: unknown, extra?: { public?: boolean }): Promise<RoomId> {
    return roomOf(
      await this.#ask((ref) => {
        if (extra !== undefined) return [OP.create, ref, game, options ?? null, extra]
        return options === undefined ? [OP.create, ref, game] : [OP.create, ref, game, options]
      }),
    )
  }

  /** A public room of this game with a seat, kept for 10 s: an existing one or a new one. Resolves with its id. */
  async match(game: string, options?: unknown): Promise<RoomId> {
    return roomOf(
      await this.#ask((ref) => (options === undefined ? [OP.match, ref, game] : [OP.match, ref, game, options])),
    )
  }

  /**
   * Joins a room, as a player where there is a seat unless `role` says otherwise; resolves once its document is there.
   * Joining a room again gives the same Room. `G` is the caller's word for which game the room plays.
   */
  async join<G extends GameLike = GameLike>(room: RoomId, { role }: { role?: Role } = {}): Promise<Room<G>> {
    await this.#memberships.settled(room)
    const { current } = this.state
    if (current.status === 'closed') throw current.error
    const joined = await this.#memberships.join(room, role)
    return joined as unknown as Room<G>
  }

  /** The server's time in ms since the epoch, within half a round trip. */
  serverNow(): number {
    return this.#time.now()
  }

  /** Ends the session here: rooms close, and what has no answer fails as `unavailable`. */
  close(): void {
    this.#connection.close('asked', new MadangError('unavailable', 'the session was closed'))
  }

  #ask(frame: (ref: Ref) => ClientFrame): Promise<unknown> {
    const { current } = this.state
    if (current.status === 'closed') return Promise.reject(current.error)
    return new Promise((resolve, reject) => {
      this.#requests.ask(frame, this.#deadline, { ok: resolve, failed: reject })
    })
  }

  #tell(frame: ClientFrame): void {
    const bytes = encodeFrame(frame, this.#frameLimit)
    if (this.#connection.buffered <= BUFFERED_BYTES) this.#connection.send(bytes)
  }

  /** Order matters: JOINs before the requests that need them. */
  #welcome(welcome: Welcome): void {
    this.#player = welcome.player
    this.#frameLimit = welcome.limits.frame
    this.#memberships.rejoin(null)
    this.#requests.connected(welcome.limits.frame)
    this.#settle.resolve(welcome.player)
  }

  #lost(): void {
    this.#requests.disconnected()
    this.#memberships.rejoin(null)
  }

  #frame(frame: ServerFrame, atHead: boolean): void {
    switch (frame[0]) {
      case OP.ok:
        this.#requests.ok(frame[1], frame[2])
        return
      case OP.err:
        if (frame[1] === null) this.#events.emit('error', new MadangError(frame[2], frame[3], frame[4]))
        else this.#requests.refused(frame)
        return
      case OP.state:
      case OP.patch:
      case OP.emit:
      case OP.castOut:
      case OP.note:
        this.#memberships.take(frame, atHead)
    }
  }

  #closed(error: MadangError): void {
    this.#requests.close(error)
    this.#memberships.shut(error)
    this.#settle.reject(error)
  }
}
