import type { ClientFrame, GameEvent, PlayerId, Ref, Role, RoomId, Seq } from '../protocol/frames.ts'
import { OP } from '../protocol/frames.ts'
import { MadangError } from './error.ts'
import type { DocumentOf, GameLike, MovesOf } from './game.ts'
import type { RoomMedia } from './media/types.ts'
import type { Emitter, Readable } from './store.ts'

/** Why a room ended for this client. `refused`: the server would not have it back after a reconnect; `error` says why. */
export interface RoomClosed {
  readonly why: 'left' | 'kicked' | 'refused' | 'session closed'
  readonly error: MadangError
}

/** What is known of a room at one moment. A new object after each change, which shares what did not change. */
export interface RoomView<G extends GameLike = GameLike> {
  readonly document: DocumentOf<G>
  readonly seq: Seq
  readonly role: Role
  /** Null while the room goes on. */
  readonly closed: RoomClosed | null
}

export type RoomEvents = {
  /** A one-off effect of the rules, once each, never before the document that it belongs to. */
  emit: [event: GameEvent, seq: Seq]
  cast: [cast: { readonly from: PlayerId; readonly channel: string; readonly payload: unknown }]
  note: [note: { readonly topic: string; readonly data: unknown }]
  /** Once; nothing follows. */
  closed: [closed: RoomClosed]
}

/** What a room asks of the membership behind it. */
export interface RoomPort {
  /** The value of the OK. Rejects with MadangError. */
  ask(frame: (ref: Ref) => ClientFrame): Promise<unknown>
  /** Sends what may be lost. Throws MadangError `bad_frame` where it is too large. */
  tell(frame: ClientFrame): void
  leave(): Promise<void>
  readonly media: RoomMedia
}

/** The room's id in the value of an OK. Throws MadangError where there is none. */
export const roomOf = (value: unknown): RoomId => {
  if (typeof value === 'object' && value !== null && 'room' in value && typeof value.room === 'string')
    return value.room
  throw new MadangError('internal', 'the server answered without a room')
}

/**
 * A room that this session joined, and stays in across reconnects until it is closed.
 *
 * @example
 * const room = await session.join<typeof tictactoe>(id)
 * room.subscribe(({ document }) => draw(document.game?.cells))
 * room.on('emit', (event) => play(event.type))
 * await room.move.mark({ cell: 4 })
 */
export class Room<G extends GameLike = GameLike> implements Readable<RoomView<G>> {
  readonly id: RoomId
  /**
   * The moves of the game by name. Each resolves with the seq after it, once it is durable and `document` shows it;
   * rejects with MadangError, such as `illegal_move` with the reason of the rules.
   */
  readonly move: MovesOf<G>
  /** Video and sound. Nothing of it is loaded before it is used. */
  readonly media: RoomMedia
  readonly #view: Readable<RoomView<G>>
  readonly #events: Emitter<RoomEvents>
  readonly #port: RoomPort

  constructor(id: RoomId, view: Readable<RoomView<G>>, events: Emitter<RoomEvents>, port: RoomPort) {
    this.id = id
    this.#view = view
    this.#events = events
    this.#port = port
    this.media = port.media
    this.move = new Proxy({} as MovesOf<G>, {
      // `then`: awaiting the proxy itself must not look like a move.
      get: (_, type) =>
        typeof type === 'string' && type !== 'then' ? (payload?: unknown) => this.#move(type, payload) : undefined,
    })
  }

  get current(): RoomView<G> {
    return this.#view.current
  }

  /** What this player may know, as it is now. Never changed in place. */
  get document(): DocumentOf<G> {
    return this.current.document
  }

  /** The seq at which the document last changed. */
  get seq(): Seq {
    return this.current.seq
  }

  get role(): Role {
    return this.current.role
  }

  get closed(): RoomClosed | null {
    return this.current.closed
  }

  /** Calls `listener` after each change of the document, the role or `closed`; returns the end of it. */
  readonly subscribe = (listener: (view: RoomView<G>) => void): (() => void) => this.#view.subscribe(listener)

  /** Calls `listener` at each event; returns the end of it. */
  on<K extends keyof RoomEvents>(name: K, listener: (...args: RoomEvents[K]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /** Calls a method of the room or its media; resolves with its value. */
  call(method: string, params?: unknown): Promise<unknown> {
    return this.#port.ask((ref) =>
      params === undefined ? [OP.call, ref, this.id, method] : [OP.call, ref, this.id, method, params],
    )
  }

  /** Starts the game. `forbidden` for others than the host, `conflict` with too few players. */
  async start(): Promise<void> {
    await this.call('start')
  }

  /** A new room for those who are connected; resolves with its id. */
  async again(): Promise<RoomId> {
    return roomOf(await this.call('again'))
  }

  /** Puts a player out of the room. `forbidden` for others than the host. */
  async kick(player: PlayerId): Promise<void> {
    await this.call('kick', { player })
  }

  /** Goes out of the room; `closed` comes with it. */
  leave(): Promise<void> {
    return this.#port.leave()
  }

  /** Sends to those whom the game's channel allows. Not kept: lost while there is no connection, or when the network cannot follow. */
  cast(channel: string, payload: unknown): void {
    this.#port.tell([OP.cast, this.id, channel, payload])
  }

  /** This player's newest input, for games with a tick. Lost while there is no connection. */
  input(payload: unknown): void {
    this.#port.tell([OP.input, this.id, payload])
  }

  async #move(type: string, payload: unknown): Promise<Seq> {
    const seq = await this.#port.ask((ref) =>
      payload === undefined ? [OP.move, ref, this.id, type] : [OP.move, ref, this.id, type, payload],
    )
    return typeof seq === 'number' ? seq : this.seq
  }
}
