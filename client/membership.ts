import {
  type CastOutFrame,
  type ClientFrame,
  type EmitFrame,
  type NoteFrame,
  OP,
  type PatchFrame,
  type Ref,
  type Role,
  type RoomId,
  type StateFrame,
} from '../protocol/frames.ts'
import type { SessionState } from './connection.ts'
import { Early } from './early.ts'
import type { Environment } from './environment.ts'
import { MadangError } from './error.ts'
import { Feed } from './feed.ts'
import type { TransportName } from './link.ts'
import { MediaDoor } from './media/door.ts'
import type { Answer } from './requests.ts'
import { Room, type RoomClosed, type RoomEvents, type RoomView } from './room.ts'
import { Emitter, type Readable, Store } from './store.ts'

/** After a JOIN's OK, a document that changed follows at once: after this long it did not change. */
const UNCHANGED_MS = 1_000

export type RoomFrame = StateFrame | PatchFrame | EmitFrame | CastOutFrame | NoteFrame

/** What a membership needs from its session. */
export interface MembershipPort {
  ask(frame: (ref: Ref) => ClientFrame, answer: Answer): void
  /** A request of this connection only: its answer may never come. */
  askNow(frame: (ref: Ref) => ClientFrame, answer: Answer): void
  tell(frame: ClientFrame): void
  /** Whether there is a connection. */
  isOpen(): boolean
  readonly environment: Environment
  readonly session: Readable<SessionState>
  readonly transport: Readable<TransportName | null>
  /** This membership is over: no frames for it any more. */
  gone(): void
}

/**
 * A session's place in one room, from the first JOIN to the end: joins again on each connection, keeps the feed in step,
 * and owns what the public Room shows. Requests of the room are answered only while the document is up to date, so that
 * whoever awaited a move sees its effect.
 *
 * The session calls `take` and `rejoin`, the Room asks and leaves through its port. Between a JOIN that was sent and its OK no frame
 * counts; nothing is shown or told after `shut`.
 */
export class Membership {
  readonly id: RoomId
  /** The room once its document is there. Rejects with MadangError where it could not be joined. */
  readonly ready: Promise<Room>
  readonly #port: MembershipPort
  readonly #feed = new Feed()
  readonly #events = new Emitter<RoomEvents>()
  readonly #settle: { resolve(room: Room): void; reject(error: MadangError): void }
  readonly #media: MediaDoor
  #view: Store<RoomView> | null = null
  #role: Role | null
  /** The server said OK to a JOIN. */
  #joined = false
  #leaving: Promise<void> | null = null
  #over = false
  /** Answers that wait for the document. */
  #held: (() => void)[] = []
  #cancelRelease: () => void = () => {}
  /** What came along with the first document: several frames may arrive in one turn. */
  readonly #early = new Early()

  constructor(id: RoomId, role: Role | null, port: MembershipPort) {
    this.id = id
    this.#role = role
    this.#port = port
    const { promise, resolve, reject } = Promise.withResolvers<Room>()
    this.ready = promise
    this.#settle = { resolve, reject }
    const { environment, session, transport } = port
    this.#media = new MediaDoor(
      {
        ...environment,
        session,
        transport,
        call: (method, params) => this.#ask((ref) => [OP.call, ref, id, method, params], true),
        plays: () => this.#role === 'player',
        onNote: (listener) => this.#events.on('note', listener),
      },
      environment.rtc,
    )
    port.ask((ref) => this.#join(ref, role), {
      ok: (value) => this.#answered(value),
      failed: (error) => this.shut('refused', error),
    })
  }

  get leaving(): Promise<void> | null {
    return this.#leaving
  }

  /** In the room in this role, and if need be asks for it: resolves when the server agreed. Rejects with MadangError (`room_full`). */
  async as(role: Role): Promise<Room> {
    const room = await this.ready
    if (role === this.#role) return room
    await new Promise<void>((resolve, reject) => {
      this.#feed.ask()
      this.#port.ask((ref) => this.#join(ref, role), {
        ok: (value) => {
          this.#answered(value)
          this.#whenCurrent(resolve)
        },
        failed: (error) => {
          reject(error)
          this.rejoin()
        },
      })
    })
    return room
  }

  /**
   * Joins again from the document that is held: on every new connection, and where a patch did not fit. Without a connection
   * only stops: the document, and answers that wait for it, stand still until the next one.
   */
  rejoin(): void {
    if (!this.#joined || this.#leaving !== null || this.#over) return
    this.#feed.ask()
    this.#cancelRelease()
    if (!this.#port.isOpen()) return
    this.#port.askNow((ref) => this.#join(ref, this.#role), {
      ok: (value) => this.#answered(value),
      // Who was put out while nothing could tell it learns it from the JOIN.
      failed: (error) => this.shut(error.code === 'forbidden' ? 'kicked' : 'refused', error),
    })
  }

  /** `atHead`: see `LinkListener`. */
  take(frame: RoomFrame, atHead: boolean): void {
    switch (frame[0]) {
      case OP.state:
        if (this.#feed.state(frame, atHead)) this.#show()
        return
      case OP.patch: {
        const outcome = this.#feed.patch(frame, atHead)
        if (outcome === 'applied') this.#show()
        else if (outcome === 'same') this.#release()
        else if (outcome === 'gap') this.rejoin()
        return
      }
      case OP.emit:
        if (this.#feed.emit(frame)) this.#early.tell(() => this.#events.emit('emit', frame[3], frame[2]))
        return
      case OP.castOut:
        this.#early.tell(() => this.#events.emit('cast', { from: frame[2], channel: frame[3], payload: frame[4] }))
        return
      case OP.note:
        this.#early.tell(() => this.#events.emit('note', { topic: frame[2], data: frame[3] }))
        if (frame[2] === 'kicked') this.shut('kicked', new MadangError('forbidden', 'the host put you out of the room'))
        if (frame[2] === 'left') this.shut('left', new MadangError('not_member', 'you left the room somewhere else'))
    }
  }

  /** Ends the membership here; the server is not asked. */
  shut(why: RoomClosed['why'], error: MadangError): void {
    if (this.#over) return
    this.#over = true
    this.#port.gone()
    this.#release()
    this.#settle.reject(error)
    const closed = { why, error }
    this.#view?.set({ ...this.#view.current, closed })
    this.#media.close(error)
    this.#early.release()
    this.#events.emit('closed', closed)
  }

  #join(ref: Ref, role: Role | null): ClientFrame {
    const { since } = this.#feed
    const extra = { ...(role === null ? {} : { role }), ...(since === null ? {} : { since }) }
    return Object.keys(extra).length === 0 ? [OP.join, ref, this.id] : [OP.join, ref, this.id, extra]
  }

  #answered(value: unknown): void {
    this.#joined = true
    if (typeof value === 'object' && value !== null && 'role' in value) {
      this.#role = value.role === 'player' ? 'player' : 'spectator'
    }
    this.#feed.answer()
    const role = this.#role
    if (this.#view && role !== null && this.#view.current.role !== role) this.#view.set({ ...this.#view.current, role })
    this.#cancelRelease()
    if (this.#held.length > 0)
      this.#cancelRelease = this.#port.environment.clock.after(UNCHANGED_MS, () => this.#release())
  }

  #show(): void {
    const { document, seq } = this.#feed
    if (document === null) return
    // What the server shows is what the game's own functions returned: the type is the caller's word (see `Session.join`).
    const view: RoomView = {
      document: document as RoomView['document'],
      seq,
      role: this.#role ?? 'spectator',
      closed: null,
    }
    if (this.#view === null) {
      this.#view = new Store<RoomView>(view)
      this.#settle.resolve(
        new Room(this.id, this.#view, this.#events, {
          ask: (frame) => this.#ask(frame),
          tell: (frame) => {
            if (!this.#over) this.#port.tell(frame)
          },
          leave: () => this.#leave(),
          media: this.#media,
        }),
      )
      this.#port.environment.clock.after(0, () => this.#early.release())
    } else if (!isShown(this.#view.current, view)) {
      this.#view.set(view)
    }
    this.#release()
  }

  #ask(frame: (ref: Ref) => ClientFrame, impatient = false): Promise<unknown> {
    const closed = this.#view?.current.closed
    if (closed) return Promise.reject(new MadangError('not_member', `the room is closed: ${closed.error.message}`))
    return new Promise((resolve, reject) => {
      this.#port.ask(frame, { ok: (value) => this.#whenCurrent(() => resolve(value)), failed: reject, impatient })
    })
  }

  #leave(): Promise<void> {
    if (this.#over) return Promise.resolve()
    this.#leaving ??= new Promise<void>((resolve, reject) => {
      const left = (): void => {
        this.shut('left', new MadangError('not_member', 'you left the room'))
        resolve()
      }
      this.#port.ask((ref) => [OP.leave, ref, this.id], {
        ok: left,
        failed: (error) => {
          // Sent again after it took effect, LEAVE finds no member: that is what was wanted.
          if (error.code === 'not_member' || error.code === 'not_found') return left()
          this.#leaving = null
          reject(error)
          this.rejoin()
        },
      })
    })
    return this.#leaving
  }

  /** Runs `task` once the document is up to date: at once, or after the JOIN that is on its way. */
  #whenCurrent(task: () => void): void {
    if (this.#feed.asking && !this.#over) this.#held.push(task)
    else task()
  }

  #release(): void {
    this.#cancelRelease()
    const held = this.#held
    this.#held = []
    for (const task of held) task()
  }
}

/** A whole document that was sent anew, for its EMITs or to be sure, is mostly the one that is shown. */
const isShown = (shown: RoomView, { seq, document }: RoomView): boolean =>
  shown.seq === seq && JSON.stringify(shown.document) === JSON.stringify(document)
