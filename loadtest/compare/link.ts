import type { Tally } from './tally.ts'

/** Who plays where, whatever the transport. */
export interface Seat {
  readonly port: number
  /** The loopback address from which it connects. */
  readonly address: string
  readonly token: string
  readonly session: string
  readonly room: string
}

export interface LinkListener {
  /** The document of this seq has arrived. */
  shown(seq: number): void
  /** A request is answered with OK; `seq`: a MOVE's. */
  answered(ref: number, seq: number | null): void
  /** Something that a load of legal moves must not meet. */
  failed(why: string): void
}

/** A player's way to a room over one transport. */
export interface Link {
  /** Sends a frame up. */
  send(frame: Uint8Array): void
  /** Leaves without a word, as a page that is closed. */
  close(): void
}

export interface LinkOptions {
  seat: Seat
  /** The seq of the document that the player holds; 0: none. */
  since: number
  /** Of the JOIN with which a link begins. */
  ref: number
  tally: Tally
  on: LinkListener
  /** Between 0 and 1: where in its interval a poll or PING begins, so that not all come at once. */
  phase: number
}
