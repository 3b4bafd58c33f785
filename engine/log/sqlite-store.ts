import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import { Fenced, type IndexRow, type Position } from './log.ts'
import type { Folder } from './sqlite-folder.ts'
import { type Failure, isRead, type Operation, type Outcome } from './sqlite-messages.ts'
import { SqlitePlaces } from './sqlite-places.ts'
import { SqliteQueries } from './sqlite-queries.ts'
import { describeTrouble, mayPass } from './sqlite-trouble.ts'

/** Rooms whose last position is kept at hand; the fence of any other costs a look-up. */
const HEADS = 65_536
/** The WAL is copied into the database after so much was written to it. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024
/** What a small write adds to the WAL beside its own bytes: the page it is on. */
const PAGE_BYTES = 4096

const failureOf = (error: unknown, operation: Operation): Failure => {
  if (error instanceof Fenced) return { kind: 'fenced', room: error.room }
  return { kind: isRead(operation) ? 'unreadable' : 'not_stored', message: describeTrouble(error) }
}

/**
 * The log of one data folder, synchronous: it lives in the worker thread. Operations come in batches, and a batch is one
 * transaction and one fsync; each write has a savepoint of its own, so that one that fails takes no other with it.
 * Heads and tail hold what is committed; `#staged` holds what the open transaction adds to them.
 */
export class SqliteStore {
  readonly #folder: Folder
  readonly #queries: SqliteQueries
  readonly #places: SqlitePlaces
  readonly #heads = new Map<RoomId, Position>()
  readonly #staged = new Map<RoomId, Position[]>()
  #bytesSinceCheckpoint = 0
  #purge = false

  /** Takes the folder over, and closes it if what it holds cannot be read: throws what SQLite throws. */
  constructor(folder: Folder) {
    this.#folder = folder
    try {
      this.#queries = new SqliteQueries(folder.db)
      this.#places = new SqlitePlaces(this.#queries)
    } catch (error) {
      folder.close()
      throw error
    }
  }

  /** The outcomes, in order, of operations that are durable or refused when this returns. */
  run(operations: readonly Operation[]): Outcome[] {
    if (operations.every(isRead)) return operations.map((operation) => this.#outcome(operation))
    return this.#transaction(operations) ?? operations.flatMap((operation) => this.#alone(operation))
  }

  /** True while there is work that may follow after the answers. */
  get behind(): boolean {
    return this.#purge || this.#places.behind || this.#bytesSinceCheckpoint >= CHECKPOINT_BYTES
  }

  /** One portion of that work. A full or failing disk leaves it for later: the appends meet that too, and say so. */
  catchUp(): void {
    try {
      if (this.#places.behind) this.#places.placeSlice()
      if (!this.#purge && this.#bytesSinceCheckpoint < CHECKPOINT_BYTES) return
      const row = this.#queries.first(`PRAGMA wal_checkpoint(${this.#purge ? 'TRUNCATE' : 'PASSIVE'})`)
      if (row?.busy === 0) this.#purge = false
    } catch (error) {
      if (!mayPass(error)) throw error
    }
    this.#bytesSinceCheckpoint = 0
  }

  /** Leaves the folder as one file without a tail, and lets go of it, also where that throws. */
  close(): void {
    try {
      this.#places.placeAll()
      this.#queries.run('PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      this.#folder.close()
    }
  }

  /** Null where the transaction as a whole failed: nothing of it is stored. */
  #transaction(operations: readonly Operation[]): Outcome[] | null {
    try {
      this.#queries.run('BEGIN IMMEDIATE')
      const outcomes: Outcome[] = []
      for (const operation of operations) {
        outcomes.push(this.#outcome(operation))
        // SQLite ends the whole transaction by itself where a statement met a full or failing disk.
        if (!this.#folder.db.isTransaction) return this.#forgetStaged(null)
      }
      this.#queries.run('COMMIT')
      this.#keepStaged()
      return outcomes
    } catch {
      this.#queries.rollback()
      return this.#forgetStaged(null)
    }
  }

  #alone(operation: Operation): Outcome {
    try {
      this.#queries.run('BEGIN IMMEDIATE')
      const value = this.#perform(operation)
      this.#queries.run('COMMIT')
      this.#keepStaged()
      return { ok: true, value }
    } catch (error) {
      this.#queries.rollback()
      return this.#forgetStaged({ ok: false, failure: failureOf(error, operation) })
    }
  }

  #outcome(operation: Operation): Outcome {
    if (isRead(operation)) {
      try {
        return { ok: true, value: this.#perform(operation) }
      } catch (error) {
        return { ok: false, failure: failureOf(error, operation) }
      }
    }
    this.#queries.run('SAVEPOINT operation')
    let outcome: Outcome
    try {
      outcome = { ok: true, value: this.#perform(operation) }
    } catch (error) {
      if (this.#folder.db.isTransaction) this.#queries.run('ROLLBACK TO operation')
      outcome = { ok: false, failure: failureOf(error, operation) }
    }
    if (this.#folder.db.isTransaction) this.#queries.run('RELEASE operation')
    return outcome
  }

  #perform(operation: Operation): unknown {
    const queries = this.#queries
    switch (operation.do) {
      case 'append':
        return this.#append(operation.room, operation.after, operation.record, operation.index)
      case 'read':
        return this.#positions(operation.room, operation.after, operation.limit).map((at) => queries.entry(at))
      case 'last': {
        const position = this.#head(operation.room)
        return position === 0 ? null : queries.entry(position)
      }
      case 'rooms':
        return this.#rooms(operation.after, operation.limit)
      case 'putSnapshot':
        this.#bytesSinceCheckpoint += operation.snapshot.byteLength + PAGE_BYTES
        return void queries.run('INSERT OR REPLACE INTO snapshot VALUES (?, ?)', operation.room, operation.snapshot)
      case 'snapshot':
        return queries.snapshot(operation.room)
      case 'putIndex':
        for (const row of operation.rows) this.#putIndex(row)
        return
      case 'index':
        return queries.index(operation.room)
      case 'listIndex':
        return queries.listIndex(operation.filter, operation.after, operation.limit)
      case 'putRules': {
        const { hash, game, version, source } = operation
        return void queries.run('INSERT OR IGNORE INTO rules VALUES (?, ?, ?, ?)', hash, game, version, source)
      }
      case 'rules':
        return queries.rules(operation.hash)
      case 'playerKey':
        queries.run('INSERT OR IGNORE INTO player_key VALUES (?, ?)', operation.player, operation.fresh)
        return queries.existingKey(operation.player)
      case 'existingKey':
        return queries.existingKey(operation.player)
      case 'forgetPlayer':
        return this.#forget(operation.player)
      case 'nextEpoch':
        return queries.first("UPDATE counter SET value = value + 1 WHERE name = 'epoch' RETURNING value")?.value
    }
  }

  #append(room: RoomId, after: Position, record: Uint8Array, index: IndexRow | null): Position {
    if (this.#head(room) !== after) throw new Fenced(room)
    const { lastInsertRowid } = this.#queries.run('INSERT INTO record (room, body) VALUES (?, ?)', room, record)
    if (index) this.#putIndex(index)
    const position = Number(lastInsertRowid)
    this.#bytesSinceCheckpoint += record.byteLength + PAGE_BYTES
    const staged = this.#staged.get(room)
    if (staged) staged.push(position)
    else this.#staged.set(room, [position])
    return position
  }

  #putIndex(row: IndexRow): void {
    const { room, game, rules, status, due, phase, players, seq } = row
    const sql = 'INSERT OR REPLACE INTO room VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
    this.#queries.run(sql, room, game, rules, status, due, Number(row.public), phase, players, seq)
    this.#bytesSinceCheckpoint += PAGE_BYTES
  }

  /** The WAL still has pages with the key: they go with the checkpoint that follows. */
  #forget(player: PlayerId): void {
    this.#queries.run('DELETE FROM player_key WHERE player = ?', player)
    this.#purge = true
  }

  #head(room: RoomId): Position {
    const staged = this.#staged.get(room)?.at(-1)
    if (staged !== undefined) return staged
    const position = this.#heads.get(room) ?? this.#places.last(room)
    this.#keepHead(room, position)
    return position
  }

  /** The map's order is that of use: its first room is the one that was not used for longest. */
  #keepHead(room: RoomId, position: Position): void {
    this.#heads.delete(room)
    this.#heads.set(room, position)
    if (this.#heads.size <= HEADS) return
    const [oldest] = this.#heads.keys()
    if (oldest !== undefined) this.#heads.delete(oldest)
  }

  #positions(room: RoomId, after: Position, limit: number): Position[] {
    const staged = (this.#staged.get(room) ?? []).filter((position) => position > after)
    return [...this.#places.of(room, after, limit), ...staged].slice(0, limit)
  }

  #rooms(after: RoomId | '', limit: number): RoomId[] {
    const staged = [...this.#staged.keys()].filter((room) => room > after)
    return [...new Set([...this.#places.rooms(after, limit), ...staged])].sort().slice(0, limit)
  }

  #keepStaged(): void {
    for (const [room, positions] of this.#staged) {
      for (const position of positions) {
        this.#places.add(room, position)
        this.#keepHead(room, position)
      }
    }
    this.#staged.clear()
  }

  #forgetStaged<T>(outcome: T): T {
    this.#staged.clear()
    return outcome
  }
}
