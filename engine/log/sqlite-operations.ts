import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import { type Entry, Fenced, type IndexRow, type Position } from './log.ts'
import type { Operation } from './sqlite-messages.ts'
import { Page } from './sqlite-page.ts'
import type { SqlitePlaces } from './sqlite-places.ts'
import type { SqliteQueries } from './sqlite-queries.ts'

/** Rooms whose last position is kept at hand; the fence of any other costs a look-up. */
const HEADS = 65_536
/** What a small write adds to the WAL beside its own bytes: the page it is on. */
const PAGE_BYTES = 4096

/**
 * The operations as statements, and the fence. Heads and places hold what is committed; `#staged` holds what the open
 * transaction adds to them: whoever ends that says with `keepStaged` or `dropStaged` how it ended.
 */
export class SqliteOperations {
  readonly #queries: SqliteQueries
  readonly #places: SqlitePlaces
  readonly #heads = new Map<RoomId, Position>()
  readonly #staged = new Map<RoomId, Position[]>()
  /** About how many bytes went into the WAL; whoever checkpoints sets it back. */
  written = 0
  /** Whether the WAL may still hold the key of a forgotten player. */
  forgotten = false

  constructor(queries: SqliteQueries, places: SqlitePlaces) {
    this.#queries = queries
    this.#places = places
  }

  /** What the operation resolves with. Throws Fenced, and what SQLite throws; the caller then takes its writes back. */
  perform(operation: Operation): unknown {
    const queries = this.#queries
    switch (operation.do) {
      case 'append':
        return this.#append(operation.room, operation.after, operation.record, operation.index)
      case 'read':
        return new Page(this.#read(operation.room, operation.after, operation.limit))
      case 'last': {
        const position = this.#head(operation.room)
        return position === 0 ? null : queries.entry(position)
      }
      case 'rooms':
        return this.#rooms(operation.after, operation.limit)
      case 'putSnapshot':
        this.written += operation.snapshot.byteLength + PAGE_BYTES
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
    this.written += record.byteLength + PAGE_BYTES
    const staged = this.#staged.get(room)
    if (staged) staged.push(position)
    else this.#staged.set(room, [position])
    return position
  }

  #putIndex(row: IndexRow): void {
    const { room, game, rules, status, due, phase, players, seq } = row
    const sql = 'INSERT OR REPLACE INTO room VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
    this.#queries.run(sql, room, game, rules, status, due, Number(row.public), phase, players, seq)
    this.written += PAGE_BYTES
  }

  /** The WAL still has pages with the key: they go with the checkpoint that follows. */
  #forget(player: PlayerId): void {
    this.#queries.run('DELETE FROM player_key WHERE player = ?', player)
    this.forgotten = true
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

  #read(room: RoomId, after: Position, limit: number): Entry[] {
    const placed = this.#queries.placed(room, after, limit)
    const later = [...this.#places.tail(room), ...(this.#staged.get(room) ?? [])].filter((position) => position > after)
    return [...placed, ...later.slice(0, limit - placed.length).map((position) => this.#queries.entry(position))]
  }

  #rooms(after: RoomId | '', limit: number): RoomId[] {
    const staged = [...this.#staged.keys()].filter((room) => room > after)
    return [...new Set([...this.#places.rooms(after, limit), ...staged])].sort().slice(0, limit)
  }

  /** The open transaction was committed. */
  keepStaged(): void {
    for (const [room, positions] of this.#staged) {
      for (const position of positions) {
        this.#places.add(room, position)
        this.#keepHead(room, position)
      }
    }
    this.#staged.clear()
  }

  /** The open transaction was taken back. */
  dropStaged(): void {
    this.#staged.clear()
  }
}
