import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import type { IndexFilter } from './index-filter.ts'
import type { IndexRow, Position } from './log.ts'

/** What the worker can be asked to do: the methods of Storage as data. */
export type Operation =
  | { do: 'append'; room: RoomId; after: Position; record: Uint8Array; index: IndexRow | null }
  | { do: 'read'; room: RoomId; after: Position; limit: number }
  | { do: 'last'; room: RoomId }
  | { do: 'rooms'; after: RoomId | ''; limit: number }
  | { do: 'putSnapshot'; room: RoomId; snapshot: Uint8Array }
  | { do: 'snapshot'; room: RoomId }
  | { do: 'putIndex'; rows: IndexRow[] }
  | { do: 'index'; room: RoomId }
  | { do: 'listIndex'; filter: IndexFilter; after: RoomId | ''; limit: number }
  | { do: 'putRules'; hash: string; game: string; version: number; source: string }
  | { do: 'rules'; hash: string }
  /** `fresh` becomes the key where the player has none. */
  | { do: 'playerKey'; player: PlayerId; fresh: Uint8Array }
  | { do: 'existingKey'; player: PlayerId }
  | { do: 'forgetPlayer'; player: PlayerId }
  | { do: 'nextEpoch' }

const READS: readonly Operation['do'][] = [
  'read',
  'last',
  'rooms',
  'snapshot',
  'index',
  'listIndex',
  'rules',
  'existingKey',
]

/** Whether the operation leaves the database as it is. Pure. */
export const isRead = (operation: Operation): boolean => READS.includes(operation.do)

/** Everything asked within one turn of the asker, in order; or the wish to end after all that was asked before. */
export type ToWorker = Operation[] | 'close'

export type Failure = { kind: 'fenced'; room: RoomId } | { kind: 'not_stored' | 'unreadable'; message: string }
export type Outcome = { ok: true; value: unknown } | { ok: false; failure: Failure }

export type FromWorker =
  | { say: 'ready' }
  | { say: 'refused'; message: string; inUse: boolean }
  /** Of the next operations, in the order in which they were asked. */
  | { say: 'outcomes'; outcomes: Outcome[] }
  /** `message`: why closing was not clean, or null. */
  | { say: 'closed'; message: string | null }
