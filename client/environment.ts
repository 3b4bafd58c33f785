import type { Chance, Clock } from '../protocol/clock.ts'
import type { Rtc } from './media/rtc.ts'

/** One WebSocket, from the moment it is asked for. Reports nothing more after `closed`. */
export interface Socket {
  /** Queues a binary message; does nothing once the socket closes. */
  send(bytes: Uint8Array): void
  /** Starts to close; `closed` follows. Without a code: 1000. */
  close(code?: number, reason?: string): void
  /** Bytes queued here that the network has not taken yet. */
  readonly buffered: number
}

export interface SocketListener {
  opened(): void
  message(bytes: Uint8Array): void
  /** Also where the socket could not be opened (1006). */
  closed(code: number, reason: string): void
}

/** Begins to open a socket to `url` (ws or wss) with the subprotocol `madang.v1`; calls the listener later, never within this call. */
export type OpenSocket = (url: string, listener: SocketListener) => Socket

/** What a request was answered with; the body comes as it arrives. */
export interface FetchAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null; forEach(each: (value: string, name: string) => void): void }
  readonly body: { getReader(): BodyReader } | null
}

export interface BodyReader {
  /** Rejects where the answer is cut off. */
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>
}

/** The part of `fetch` that the SDK uses. Rejects where there is no answer, or `signal` aborts. */
export type Fetch = (
  url: string,
  init: {
    method: string
    headers: Record<string, string>
    body?: string | Uint8Array<ArrayBuffer>
    signal: AbortSignal
    /** Cookies go along to another origin as well. */
    credentials?: 'include'
  },
) => Promise<FetchAnswer>

/** What the device says about its network. */
export interface Network {
  /** False where there is certainly none. */
  online(): boolean
  /** Calls `listener` when it is worth looking at the connection now: network back or gone, page visible again. Returns the end of it. */
  watch(listener: () => void): () => void
}

/** All that the SDK takes from the outside. */
export interface Environment {
  readonly clock: Clock
  readonly chance: Chance
  readonly openSocket: OpenSocket
  readonly fetch: Fetch
  readonly network: Network
  /** Loads what video needs. Rejects with MadangError where this is no browser, or cannot do video. */
  readonly rtc: () => Promise<Rtc>
}
