import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { checkPage, checkPlayer, checkRoom } from './bounds.ts'
import { type Storage, StorageError } from './log.ts'
import { adviceFor, LOG_FILE } from './sqlite-folder.ts'
import { SqliteQueries } from './sqlite-queries.ts'
import { isEmpty } from './sqlite-schema.ts'

export type ReadonlyStorage = Pick<
  Storage,
  'durability' | 'read' | 'last' | 'rooms' | 'snapshot' | 'index' | 'listIndex' | 'rules' | 'existingKey' | 'close'
>

const BUSY_WAIT_MS = 5000

/** Changes with every write to the file. */
const stampOf = (file: string) => {
  const { mtimeNs, size } = statSync(file, { bigint: true })
  return `${mtimeNs} ${size}`
}

/**
 * The log of a folder that others may write, or nobody. While there is no WAL nobody writes, and the file is read
 * as it is: opened in the ordinary way SQLite would leave a WAL of this user's there, which an engine that runs as
 * another user could not open. Once there is one, the reading is done again in the ordinary way.
 */
class Reader {
  readonly queries: SqliteQueries
  readonly #file: string
  readonly #db: DatabaseSync
  /** The stamp of the file that is read as it is; null where it is read beside its WAL. */
  readonly #still: string | null

  constructor(file: string) {
    this.#file = file
    this.#still = existsSync(`${file}-wal`) ? null : stampOf(file)
    const url = pathToFileURL(file)
    if (this.#still !== null) url.search = '?immutable=1'
    this.#db = new DatabaseSync(url, { readOnly: true, timeout: BUSY_WAIT_MS })
    try {
      if (isEmpty(this.#db, file)) throw new StorageError(`${file}: nothing was written to it yet`)
      this.queries = new SqliteQueries(this.#db)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  /** Whether the file is still as this reader found it. */
  get valid(): boolean {
    return this.#still === null || (!existsSync(`${this.#file}-wal`) && stampOf(this.#file) === this.#still)
  }

  close(): void {
    this.#db.close()
  }
}

/**
 * Resolves with a view of a folder's log that changes nothing in it, beside an engine that runs on it or on a folder that
 * nobody has open; it sees what is committed at each call. Reads in the calling thread. Rejects with StorageError.
 */
export const openSqliteReadonly = async (dir: string): Promise<ReadonlyStorage> => {
  const file = join(resolve(dir), LOG_FILE)
  const attempt = <T>(what: () => T): T => {
    try {
      return what()
    } catch (error) {
      if (error instanceof StorageError) throw error
      throw new StorageError(`${file}: ${adviceFor(error)}`, { cause: error })
    }
  }
  if (attempt(() => statSync(file, { throwIfNoEntry: false })) === undefined)
    throw new StorageError(`${file}: no such file: --data names the folder of an earlier start`)
  let reader: Reader | null = attempt(() => new Reader(file))

  const ask = <T>(question: (queries: SqliteQueries) => T): T =>
    attempt(() => {
      for (;;) {
        if (!reader) throw new StorageError('the log is closed')
        try {
          const answer = question(reader.queries)
          if (reader.valid) return answer
        } catch (error) {
          if (reader.valid) throw error
        }
        reader.close()
        reader = new Reader(file)
      }
    })

  return {
    durability: 'sqlite-full',
    async read(room, after, limit) {
      checkRoom(room)
      checkPage(after, limit)
      return ask((queries) => queries.entriesBesideWriter(room, after, limit))
    },
    async last(room) {
      checkRoom(room)
      return ask((queries) => queries.lastBesideWriter(room))
    },
    async rooms(after, limit) {
      checkPage(after, limit)
      return ask((queries) => {
        const unplaced = queries.unplaced().map((record) => record.room)
        const all = new Set([...unplaced.filter((room) => room > after), ...queries.placedRooms(after, limit)])
        return [...all].sort().slice(0, limit)
      })
    },
    async snapshot(room) {
      checkRoom(room)
      return ask((queries) => queries.snapshot(room))
    },
    async index(room) {
      checkRoom(room)
      return ask((queries) => queries.index(room))
    },
    async listIndex(filter, after, limit) {
      checkPage(after, limit)
      return ask((queries) => queries.listIndex(filter, after, limit))
    },
    async rules(hash) {
      return ask((queries) => queries.rules(hash))
    },
    async existingKey(player) {
      checkPlayer(player)
      return ask((queries) => queries.existingKey(player))
    },
    async close() {
      reader?.close()
      reader = null
    },
  }
}
