import type { RoomId, Seq, ServerFrame } from '../../protocol/frames.ts'
import type { Environment } from '../environment.ts'
import type { Http } from './http.ts'
import type { Refused } from './refusal.ts'

/** What comes down of one room over HTTP, from a JOIN's OK to the next one or the end. */
export interface Channel {
  /** Runs `task` once the document shows what there was at `seq`; null: all that there is now. */
  whenShown(seq: Seq | null, task: () => void): void
  /** Something went up: look soon for what it changed. */
  nudge(): void
  /** The link looks whether everything still works. */
  probe(): void
  /** Ends it, and lets go of what waits for the document. */
  end(): void
}

/** What a channel needs of its link. */
export interface ChannelPort {
  readonly environment: Environment
  readonly http: Http
  readonly room: RoomId
  /** What the JOIN went on from; null: nothing. */
  readonly since: Seq | null
  /** Once, before the first frame of the document, or once it is known that nothing changed since. */
  begun(): void
  frame(frame: ServerFrame, atHead: boolean): void
  /** The channel is at its end: JOIN again. */
  adrift(): void
  /**
   * The `times`-th refusal in a row. Ms until another attempt is worth while; null where the link or the channel is at its end.
   */
  refused(refused: Refused, times: number): number | null
  /** This transport lets too little through. */
  unfit(reason: string): void
}

/** How long a document may take to follow the answer of a move before the server is asked whether there is one, ms. */
export const FOLLOWS_MS = 100
/** Within this an answer that nobody holds back must come, ms. */
export const ANSWER_MS = 10_000

/** The path of what a member reads. Pure. */
export const pathOf = (what: 'poll' | 'sse', room: RoomId, since: Seq | null, wait?: number): string =>
  `/v1/${what}?room=${room}${since === null ? '' : `&since=${since}`}${wait === undefined ? '' : `&wait=${wait}`}`
