import type { PlayerId, RoomId } from '../../protocol/frames.ts'

/** Where a record stands in the store: grows with every append to the same room; 0 is before the first. */
export type Position = number

export interface Entry {
  position: Position
  record: Uint8Array
}

/** The append was refused: something else was appended to the room after the position that was given. */
export class Fenced extends Error {
  readonly room: RoomId
  constructor(room: RoomId) {
    super(`room ${room} was appended to by another owner`)
    this.name = 'Fenced'
    this.room = room
  }
}

/** The append did not happen and the store is the reason (disk full, closed): nothing was stored. */
export class NotStored extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.name = 'NotStored'
  }
}

/** The store did not say whether it stored the record: read the room's last record to learn its fate. */
export class FateUnknown extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.name = 'FateUnknown'
  }
}

/** The store cannot be opened or read. Terminal: the message is one line that says what to do. */
export class StorageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StorageError'
  }
}

/** Another process has the data folder open; `madang start` ends with exit code 2. */
export class DataFolderInUse extends StorageError {
  readonly folder: string
  constructor(folder: string) {
    super(
      `data folder in use: ${folder} (another Madang runs on it: stop that one, or choose another folder with --data)`,
    )
    this.name = 'DataFolderInUse'
    this.folder = folder
  }
}

export interface EventLog {
  /**
   * Appends one record to a room if its last record stands at `after` (0: the room has none), and resolves with the new position
   * once it is durable at the store's level. `index` is written along with it.
   * Rejects with Fenced, NotStored or FateUnknown. Appends to one room are made one at a time.
   */
  append(room: RoomId, after: Position, record: Uint8Array, index?: IndexRow): Promise<Position>
  /** At most `limit` records of a room after `after`, oldest first. */
  read(room: RoomId, after: Position, limit: number): Promise<Entry[]>
  /** The room's last record, or null. */
  last(room: RoomId): Promise<Entry | null>
  /** Ids of all rooms that have a record, in order, at most `limit` after `after`; for `verify`. */
  rooms(after: RoomId | '', limit: number): Promise<RoomId[]>
}

export interface SnapshotStore {
  /** Keeps this snapshot in place of the room's earlier one. A cache: losing it costs time, never state. */
  putSnapshot(room: RoomId, snapshot: Uint8Array): Promise<void>
  snapshot(room: RoomId): Promise<Uint8Array | null>
}

export type RoomStatus = 'live' | 'asleep' | 'over'

export interface IndexRow {
  room: RoomId
  game: string
  /** The hash of the rules that the room runs on. */
  rules: string
  status: RoomStatus
  /** When a sleeping room must wake, ms since the epoch; null: only on demand. */
  due: number | null
  public: boolean
  phase: 'open' | 'playing' | 'over'
  players: number
  /** Events in the log when the row was written: a log that ends before it was truncated. */
  seq: number
}

export interface RoomIndex {
  putIndex(rows: IndexRow[]): Promise<void>
  index(room: RoomId): Promise<IndexRow | null>
  /** Rows in order of room id, at most `limit` after `after`. `unfinished`: live or asleep. */
  listIndex(
    filter: { status?: RoomStatus | 'unfinished'; game?: string; public?: boolean; partitions?: ReadonlySet<number> },
    after: RoomId | '',
    limit: number,
  ): Promise<IndexRow[]>
}

export interface RulesArchive {
  /** Keeps the bundled source of rules under its hash; harmless when it is there. */
  putRules(hash: string, game: string, version: number, source: string): Promise<void>
  rules(hash: string): Promise<{ game: string; version: number; source: string } | null>
}

export interface KeyStore {
  /** The key (32 bytes) that seals this player's name and words: made at the first call, durable before any later append. */
  playerKey(player: PlayerId): Promise<Uint8Array>
  /** The key if there is one: what was sealed under a forgotten key stays unreadable. */
  existingKey(player: PlayerId): Promise<Uint8Array | null>
  /** Deletes the key: every log keeps its shape, and the name and words are gone from all of them. */
  forgetPlayer(player: PlayerId): Promise<void>
}

/** All that an engine keeps. One object, so that an append orders after the key and index writes made before it. */
export interface Storage extends EventLog, SnapshotStore, RoomIndex, RulesArchive, KeyStore {
  /** How durable a resolved append is; printed at start. */
  readonly durability: 'memory' | 'sqlite-full' | 'jetstream-r1' | 'jetstream-r3' | 'jetstream-r3-fsync'
  /** True where no other process can append while this one lives: rooms need no claim record. */
  readonly exclusive: boolean
  /** A number above every earlier one that this call returned: the epoch of a new owner. */
  nextEpoch(): Promise<number>
  close(): Promise<void>
}
