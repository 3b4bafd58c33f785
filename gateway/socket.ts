import type { CloseCode } from '../protocol/errors.ts'
import type { RoomId } from '../protocol/frames.ts'

/** A client's open WebSocket, or the HTTP response that stands for one. Every method is harmless once it has ended. */
export interface Socket {
  /** Of an HTTP response: the only room that it is for, and with whose membership it ends; and how long it lasts. */
  readonly response?: { readonly room: RoomId; readonly as: 'held' | 'stream' }
  /** Sends one binary message. False: the hard limit of buffered bytes is reached, and the message is lost. */
  send(bytes: Uint8Array): boolean
  /** Bytes that the peer has not taken yet. */
  bufferedAmount(): number
  /** Asks the peer for a sign of life: `alive` follows. */
  ping(): void
  /** Runs `task` and sends what it sends in as few packets as possible. */
  cork(task: () => void): void
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /** Sends a close frame after what is buffered, then ends. */
  end(code: CloseCode, reason: string): void
  /** Ends at once, with whatever is buffered lost. */
  cut(): void
}

export type HttpSocket = Socket & Required<Pick<Socket, 'response'>>

/** Sends one binary message to every socket that subscribes to `topic`, in order with what `send` sends to each. */
export type Publish = (topic: string, bytes: Uint8Array) => void

/** What the edge tells the gateway about one socket, until `closed`. */
export interface Peer {
  /** A binary message; the bytes may be gone after the call. */
  binary(bytes: Uint8Array): void
  text(): void
  /** A control frame came: the peer lives. */
  alive(): void
  /** A published message did not fit in what may be buffered for this socket. */
  dropped(): void
  /** The peer takes no more, and what is sent from now on is lost, until `drained`: it then starts anew from STATEs. */
  blocked(): void
  /** The peer has taken some of what was buffered. */
  drained(): void
  closed(code: number): void
}

/** Where a socket comes from. */
export interface Origin {
  /** A token of the upgrade request: `Authorization: Bearer`, or the cookie `madang`. Forgotten with HELLO. */
  token: string | null
  address: string
}
