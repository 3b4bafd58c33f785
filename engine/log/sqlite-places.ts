import type { RoomId } from '../../protocol/frames.ts'
import type { Position } from './log.ts'
import type { SqliteQueries } from './sqlite-queries.ts'

/** The tail is placed once it has this many records, and scanned at start: a start reads little more than this. */
const TAIL_RECORDS = 4096
/** Placed between two commits: enough to keep up with the largest of them, and a few milliseconds at most. */
const SLICE_RECORDS = 512

/**
 * Where the records of each room are: those of the place table, and the tail behind it, which is in memory here.
 * A sweep places the tail room by room, in slices; only its end moves the counter `placed`, so that a crash in its
 * middle costs nothing but a longer scan.
 */
export class SqlitePlaces {
  readonly #queries: SqliteQueries
  readonly #tail = new Map<RoomId, Position[]>()
  #tailRecords = 0
  #newest: Position = 0
  #sweep: { rooms: RoomId[]; upTo: Position } | null = null

  constructor(queries: SqliteQueries) {
    this.#queries = queries
    for (const { room, position } of queries.unplaced()) this.add(room, position)
  }

  /** Takes note of a record that is committed. */
  add(room: RoomId, position: Position): void {
    const positions = this.#tail.get(room)
    if (positions) positions.push(position)
    else this.#tail.set(room, [position])
    this.#tailRecords += 1
    this.#newest = Math.max(this.#newest, position)
  }

  /** Positions of a room's committed records that are not placed yet, oldest first. */
  tail(room: RoomId): readonly Position[] {
    return this.#tail.get(room) ?? []
  }

  last(room: RoomId): Position {
    return this.#tail.get(room)?.at(-1) ?? this.#queries.lastPlace(room)
  }

  rooms(after: RoomId | '', limit: number): RoomId[] {
    const tail = [...this.#tail.keys()].filter((room) => room > after)
    const all = new Set([...this.#queries.placedRooms(after, limit), ...tail])
    return [...all].sort().slice(0, limit)
  }

  /** Whether a sweep is under way or due. */
  get behind(): boolean {
    return this.#sweep !== null || this.#tailRecords >= TAIL_RECORDS
  }

  /** Places the next slice in a transaction of its own. Throws what SQLite throws, and has then changed nothing. */
  placeSlice(): void {
    this.#sweep ??= { rooms: [...this.#tail.keys()].sort().reverse(), upTo: this.#newest }
    const { rooms, upTo } = this.#sweep
    const slice: RoomId[] = []
    let records = 0
    for (let at = rooms.length - 1; at >= 0 && records < SLICE_RECORDS; at--) {
      const room = rooms[at] ?? ''
      slice.push(room)
      records += this.#tail.get(room)?.length ?? 0
    }
    const done = slice.length === rooms.length
    this.#write(slice, done ? upTo : null)
    for (const room of slice) this.#tail.delete(room)
    this.#tailRecords -= records
    rooms.length -= slice.length
    if (done) this.#sweep = null
  }

  /** Places the whole tail, so that the next start has nothing to scan. */
  placeAll(): void {
    while (this.#tailRecords > 0) this.placeSlice()
  }

  #write(rooms: RoomId[], placed: Position | null): void {
    const queries = this.#queries
    // What is placed can be found again from the records: it needs no fsync of its own, the next append's covers it.
    queries.exec('PRAGMA synchronous = NORMAL')
    try {
      queries.run('BEGIN IMMEDIATE')
      for (const room of rooms) {
        for (const position of this.#tail.get(room) ?? []) {
          queries.run('INSERT OR IGNORE INTO place (room, position) VALUES (?, ?)', room, position)
        }
      }
      if (placed !== null) queries.run("UPDATE counter SET value = ? WHERE name = 'placed'", placed)
      queries.run('COMMIT')
    } catch (error) {
      queries.rollback()
      throw error
    } finally {
      queries.exec('PRAGMA synchronous = FULL')
    }
  }
}
