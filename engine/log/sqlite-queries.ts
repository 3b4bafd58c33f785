import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementResultingChanges, StatementSync } from 'node:sqlite'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import { type IndexFilter, passes } from './index-filter.ts'
import type { Entry, IndexRow, RoomStatus, RulesArchive } from './log.ts'

type Row = Record<string, SQLOutputValue>
type KeptRules = NonNullable<Awaited<ReturnType<RulesArchive['rules']>>>

const wrong = (row: Row, column: string) => new Error(`unexpected ${column} in the database: ${typeof row[column]}`)

const missing = (position: number) => new Error(`record ${position} is missing from the database`)

const text = (row: Row, column: string): string => {
  const value = row[column]
  if (typeof value !== 'string') throw wrong(row, column)
  return value
}
const number = (row: Row, column: string): number => {
  const value = row[column]
  if (typeof value !== 'number') throw wrong(row, column)
  return value
}
const bytes = (row: Row, column: string): Uint8Array => {
  const value = row[column]
  if (!(value instanceof Uint8Array)) throw wrong(row, column)
  return value
}
const oneOf = <T extends string>(row: Row, column: string, values: readonly T[]): T => {
  const value = values.find((known) => known === row[column])
  if (value === undefined) throw wrong(row, column)
  return value
}

const STATUSES: readonly RoomStatus[] = ['live', 'asleep', 'over']
const PHASES: readonly IndexRow['phase'][] = ['open', 'playing', 'over']

const indexRow = (row: Row): IndexRow => ({
  room: text(row, 'room'),
  game: text(row, 'game'),
  rules: text(row, 'rules'),
  status: oneOf(row, 'status', STATUSES),
  due: row.due === null ? null : number(row, 'due'),
  public: number(row, 'public') === 1,
  phase: oneOf(row, 'phase', PHASES),
  players: number(row, 'players'),
  seq: number(row, 'seq'),
})

const UNPLACED = "position > (SELECT value FROM counter WHERE name = 'placed')"
const POSITIONS_OF_ROOM = `SELECT position FROM place WHERE room = ? AND position > ?
  UNION SELECT position FROM record WHERE ${UNPLACED} AND room = ? AND position > ?`

/** What an open log answers, in the words of its tables. Throws where a row is not as we wrote it. */
export class SqliteQueries {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...values)
  }
  first(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values)
  }
  run(sql: string, ...values: SQLInputValue[]): StatementResultingChanges {
    return this.#prepared(sql).run(...values)
  }
  /** For pragmas that act when they are compiled: a kept statement would not act again. */
  exec(sql: string): void {
    this.#db.exec(sql)
  }
  /** Ends the open transaction without a trace, where there is one. */
  rollback(): void {
    if (this.#db.isTransaction) this.run('ROLLBACK')
  }

  entry(position: number): Entry {
    const row = this.first('SELECT body FROM record WHERE position = ?', position)
    if (!row) throw missing(position)
    return { position, record: bytes(row, 'body') }
  }

  /** A room's records that the place table has, oldest first. */
  placed(room: RoomId, after: number, limit: number): Entry[] {
    const sql = `SELECT place.position, body FROM place LEFT JOIN record USING (position)
      WHERE place.room = ? AND place.position > ? ORDER BY place.position LIMIT ?`
    return this.all(sql, room, after, limit).map((row) => {
      const position = number(row, 'position')
      if (row.body === null) throw missing(position)
      return { position, record: bytes(row, 'body') }
    })
  }
  /** Positions and rooms of the records that the place table does not have yet, oldest first. */
  unplaced(): { position: number; room: RoomId }[] {
    const sql = `SELECT position, room FROM record WHERE ${UNPLACED}
      AND NOT EXISTS (SELECT 1 FROM place WHERE place.room = record.room AND place.position = record.position)
      ORDER BY position`
    return this.all(sql).map((row) => ({ position: number(row, 'position'), room: text(row, 'room') }))
  }
  /** The last placed position of a room, 0 without one. */
  lastPlace(room: RoomId): number {
    const row = this.first('SELECT position FROM place WHERE room = ? ORDER BY position DESC LIMIT 1', room)
    return row ? number(row, 'position') : 0
  }
  /** One seek for each room, however many records it has. */
  placedRooms(after: RoomId | '', limit: number): RoomId[] {
    const rooms: RoomId[] = []
    let row = this.first('SELECT min(room) AS room FROM place WHERE room > ?', after)
    while (row && row.room !== null && rooms.length < limit) {
      const room = text(row, 'room')
      rooms.push(room)
      row = this.first('SELECT min(room) AS room FROM place WHERE room > ?', room)
    }
    return rooms
  }

  /** A room's records after `after`, from one statement: what a writer places meanwhile is neither missed nor doubled. */
  entriesBesideWriter(room: RoomId, after: number, limit: number): Entry[] {
    const sql = `SELECT position, body FROM record WHERE position IN (${POSITIONS_OF_ROOM}) ORDER BY position LIMIT ?`
    return this.all(sql, room, after, room, after, limit).map((row) => ({
      position: number(row, 'position'),
      record: bytes(row, 'body'),
    }))
  }
  lastBesideWriter(room: RoomId): Entry | null {
    const sql = `SELECT position, body FROM record WHERE position = (SELECT max(position) FROM (${POSITIONS_OF_ROOM}))`
    const row = this.first(sql, room, 0, room, 0)
    return row ? { position: number(row, 'position'), record: bytes(row, 'body') } : null
  }

  snapshot(room: RoomId): Uint8Array | null {
    const row = this.first('SELECT body FROM snapshot WHERE room = ?', room)
    return row ? bytes(row, 'body') : null
  }
  index(room: RoomId): IndexRow | null {
    const row = this.first('SELECT * FROM room WHERE room = ?', room)
    return row ? indexRow(row) : null
  }
  listIndex(filter: IndexFilter, after: RoomId | '', limit: number): IndexRow[] {
    const rows: IndexRow[] = []
    let cursor: string | undefined = after
    while (cursor !== undefined && rows.length < limit) {
      const page: IndexRow[] =
        filter.status === 'unfinished'
          ? this.#unfinishedPage(filter, cursor, limit)
          : this.#indexPage(filter, cursor, limit)
      // The database does not know partitions.
      rows.push(...page.filter((row) => passes(row, filter)))
      cursor = page.length < limit ? undefined : page.at(-1)?.room
    }
    return rows.slice(0, limit)
  }
  rules(hash: string): KeptRules | null {
    const row = this.first('SELECT game, version, source FROM rules WHERE hash = ?', hash)
    return row ? { game: text(row, 'game'), version: number(row, 'version'), source: text(row, 'source') } : null
  }
  existingKey(player: PlayerId): Uint8Array | null {
    const row = this.first('SELECT key FROM player_key WHERE player = ?', player)
    return row ? bytes(row, 'key') : null
  }

  /** By the index of statuses: in the order of rooms nearly all that it would pass over are over. */
  #unfinishedPage(filter: IndexFilter, after: RoomId | '', limit: number): IndexRow[] {
    const [live, asleep] = (['live', 'asleep'] as const).map((status) =>
      this.#indexPage({ ...filter, status }, after, limit),
    )
    return [...(live ?? []), ...(asleep ?? [])].sort((a, b) => (a.room < b.room ? -1 : 1)).slice(0, limit)
  }

  #indexPage({ status, game, public: open }: IndexFilter, after: RoomId | '', limit: number): IndexRow[] {
    const conditions = ['room > ?']
    const values: SQLInputValue[] = [after]
    const where = (column: string, value: SQLInputValue | undefined) => {
      if (value === undefined) return
      conditions.push(`${column} = ?`)
      values.push(value)
    }
    where('status', status)
    where('game', game)
    where('public', open === undefined ? undefined : Number(open))
    const sql = `SELECT * FROM room WHERE ${conditions.join(' AND ')} ORDER BY room LIMIT ?`
    return this.all(sql, ...values, limit).map(indexRow)
  }

  #prepared(sql: string): StatementSync {
    const kept = this.#statements.get(sql)
    if (kept) return kept
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
