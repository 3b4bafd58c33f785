import type { ConnId } from '../bus/messages.ts'
import { SmallMap } from '../bus/small-map.ts'
import { encode } from '../protocol/codec.ts'
import { CLOSE, type CloseCode, type ErrorCode } from '../protocol/errors.ts'
import { OP, type PlayerId, type Ref, type RoomId, type SessionId } from '../protocol/frames.ts'
import type { GatewayCounters } from './counters.ts'
import type { Lane } from './lane.ts'
import type { Membership } from './membership.ts'
import type { Origin, Socket } from './socket.ts'

/** More than this not taken by the peer, and it is too slow: far below the socket's hard limit, at which no close frame would fit. */
export const SOFT_LIMIT_BYTES = 65_536
/** More than this not taken by the peer, and CASTs and NOTEs are left out. */
const EPHEMERAL_LIMIT_BYTES = 16_384

export interface Who {
  player: { id: PlayerId; name: string }
  guest: boolean
  session: SessionId
}

export type Lifecycle =
  | { is: 'awaiting-hello'; refused: number; cancel: () => void }
  | { is: 'authenticating'; waiting: Uint8Array[]; bytes: number; cancel: () => void }
  | ({ is: 'online' } & Who)
  /** BYE was sent: answers still go out, new requests are refused. */
  | ({ is: 'leaving' } & Who)
  | { is: 'closed' }

/** Returns the bytes of an ERR frame. Pure. */
export const errFrame = (ref: Ref | null, code: ErrorCode, message: string, detail?: unknown): Uint8Array =>
  encode(detail === undefined ? [OP.err, ref, code, message] : [OP.err, ref, code, message, detail])

/** One client's socket, what is known of the client, and what is under way for it. */
export class Connection {
  readonly id: ConnId
  readonly origin: Origin
  readonly socket: Socket
  lifecycle: Lifecycle
  readonly memberships = new SmallMap<RoomId, Membership>()
  /** Rooms whose engine may know of this connection: it must hear of its end. */
  readonly joined = new SmallMap<RoomId, true>()
  /** By room; MATCH's by ''. */
  readonly lanes = new SmallMap<RoomId, Lane>()
  /** Requests of its media calls that wait for an answer; null until it makes one. */
  mediaCalls: Set<number> | null = null
  /** When the peer gave its last sign of life, ms. */
  heardAt: number
  /** What waits in all lanes, in flight or not. */
  queuedFrames = 0
  queuedBytes = 0
  readonly #counters: GatewayCounters

  constructor(id: ConnId, socket: Socket, origin: Origin, now: number, counters: GatewayCounters) {
    this.id = id
    this.socket = socket
    this.origin = origin
    this.lifecycle = { is: 'closed' }
    this.heardAt = now
    this.#counters = counters
  }

  get isClosed(): boolean {
    return this.lifecycle.is === 'closed'
  }

  /** Sends whole frames in order; ends the connection instead where the peer does not keep up. */
  send(frames: readonly Uint8Array[]) {
    if (this.isClosed || frames.length === 0) return
    if (this.socket.bufferedAmount() > SOFT_LIMIT_BYTES) return this.end(CLOSE.tooSlow, 'too slow')
    let taken = true
    const [first] = frames
    if (first !== undefined && frames.length === 1) taken = this.#put(first)
    else
      this.socket.cork(() => {
        for (const frame of frames) if (!this.#put(frame)) taken = false
      })
    if (!taken && !this.isClosed) this.socket.cut()
  }

  /** Sends frames that may be lost: not at all where the peer is behind. */
  sendEphemeral(frames: readonly Uint8Array[]) {
    if (this.isClosed || frames.length === 0) return
    if (this.socket.bufferedAmount() > EPHEMERAL_LIMIT_BYTES) this.#counters.dropsEphemeral += frames.length
    else this.send(frames)
  }

  error(ref: Ref | null, code: ErrorCode, message: string, detail?: unknown) {
    this.send([errFrame(ref, code, message, detail)])
  }

  end(code: CloseCode, reason: string) {
    if (!this.isClosed) this.socket.end(code, reason)
  }

  #put(frame: Uint8Array): boolean {
    this.#counters.framesOut++
    this.#counters.bytesOut += frame.length
    return this.socket.send(frame)
  }
}
