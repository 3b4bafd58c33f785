import type { ByeFrame, RoomId, ServerFrame, SessionId, Welcome } from '../protocol/frames.ts'
import type { MadangError } from './error.ts'

/** The ways to a server, the best first. */
export const TRANSPORTS = ['websocket', 'sse', 'longpoll', 'poll'] as const
export type TransportName = (typeof TRANSPORTS)[number]

/** The code of an end that we made up because the other side did not say one. */
export const LOST = 1006

/** A sign of life is asked for this often, ms. */
export const PING_MS = 10_000
/** How long the server has to show that it is there, once that is in doubt, ms. */
export const PROBE_MS = 5_000

export interface Bye {
  reason: string
  /** Ms. */
  retryAfter: number
  resume: boolean
}

/** What a BYE says. Pure. */
export const byeOf = ([, reason, { retryAfter = 0, resume }]: ByeFrame): Bye => ({ reason, retryAfter, resume })

/** How a link ended, and what the server had said about it. */
export interface Ending {
  /** A close code of the protocol, also over HTTP. */
  code: number
  reason: string
  bye: Bye | null
  /** The last ERR that answers no request. */
  error: MadangError | null
  welcomed: boolean
  /** The server can be reached, but not by this transport: something between lets through too little. */
  unfit: boolean
  /** Nothing came for a while: the network or this transport is dead. */
  silent: boolean
}

/** An ending of which only this is known. Pure. */
export const endingOf = (code: number, reason: string, known: Partial<Ending> = {}): Ending => ({
  code,
  reason,
  bye: null,
  error: null,
  welcomed: false,
  unfit: false,
  silent: false,
  ...known,
})

export interface LinkListener {
  /** Never within the call that opens the link. */
  welcome(welcome: Welcome): void
  /** Every frame after WELCOME but PONG and BYE. `atHead`: a poll's document, whose seq is the room's and not the one at which it changed. */
  frame(frame: ServerFrame, atHead: boolean): void
  /** What comes from this room broke off while the link goes on: JOIN again. */
  adrift(room: RoomId): void
  /** Once; nothing follows. */
  ended(ending: Ending): void
}

/** One connection to the server over some transport, from its greeting to its end. Whatever happens, the listener hears `ended` once. */
export interface Link {
  /** False before WELCOME, and between BYE and the end: what is sent then may be lost. */
  readonly open: boolean
  /** Bytes that wait to leave. */
  readonly buffered: number
  send(frame: Uint8Array): void
  /** Asks the server for a sign of life, and leaves it if none comes soon. */
  probe(): void
  /** Ends the link from this side. */
  leave(reason: string): void
}

/** Who greets: without a token the cookie says who it is. */
export interface Pass {
  readonly token: string | null
  readonly session: SessionId
}
