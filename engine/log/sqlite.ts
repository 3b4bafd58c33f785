import type { Chance, Clock } from '../../protocol/clock.ts'
import { checkAppend, checkPage, checkPlayer, checkRoom } from './bounds.ts'
import type { Storage } from './log.ts'
import { openLine } from './sqlite-line.ts'
import { entriesOf, type Page } from './sqlite-page.ts'

export interface SqliteOptions {
  /** The data folder; made where it is missing. */
  dir: string
  chance: Chance
  /** Ends a loop turn, whose requests go to the thread as one; by default, a microtask does. */
  soon?: Clock['soon']
  /** Told once when the log's thread died: nothing more can be stored until a new start. */
  onTrouble?: (error: Error) => void
}

/**
 * Resolves with the storage of one data folder, which this process alone may write while it lives: SQLite in a worker
 * thread, so that an fsync never stalls a socket. An append resolves once it is on the disk (WAL, synchronous=FULL).
 * Rejects with DataFolderInUse or StorageError.
 */
export const openSqlite = async ({ dir, chance, soon, onTrouble = () => {} }: SqliteOptions): Promise<Storage> => {
  const line = await openLine(dir, onTrouble, soon)
  return {
    durability: 'sqlite-full',
    exclusive: true,

    async append(room, after, record, index) {
      checkAppend(room, after, record, index)
      return line.ask({ do: 'append', room, after, record: new Uint8Array(record), index: index ?? null })
    },
    async read(room, after, limit) {
      checkRoom(room)
      checkPage(after, limit)
      return entriesOf(await line.ask<Page>({ do: 'read', room, after, limit }))
    },
    async last(room) {
      checkRoom(room)
      return line.ask({ do: 'last', room })
    },
    async rooms(after, limit) {
      checkPage(after, limit)
      return line.ask({ do: 'rooms', after, limit })
    },

    async putSnapshot(room, snapshot) {
      checkRoom(room)
      return line.ask({ do: 'putSnapshot', room, snapshot: new Uint8Array(snapshot) })
    },
    async snapshot(room) {
      checkRoom(room)
      return line.ask({ do: 'snapshot', room })
    },

    async putIndex(rows) {
      for (const row of rows) checkRoom(row.room)
      return line.ask({ do: 'putIndex', rows: rows.map((row) => ({ ...row })) })
    },
    async index(room) {
      checkRoom(room)
      return line.ask({ do: 'index', room })
    },
    async listIndex(filter, after, limit) {
      checkPage(after, limit)
      return line.ask({ do: 'listIndex', filter: { ...filter }, after, limit })
    },

    async putRules(hash, game, version, source) {
      return line.ask({ do: 'putRules', hash, game, version, source })
    },
    async rules(hash) {
      return line.ask({ do: 'rules', hash })
    },

    async playerKey(player) {
      checkPlayer(player)
      return line.ask({ do: 'playerKey', player, fresh: new Uint8Array(chance.bytes(32)) })
    },
    async existingKey(player) {
      checkPlayer(player)
      return line.ask({ do: 'existingKey', player })
    },
    async forgetPlayer(player) {
      checkPlayer(player)
      return line.ask({ do: 'forgetPlayer', player })
    },

    async nextEpoch() {
      return line.ask({ do: 'nextEpoch' })
    },
    close: () => line.close(),
  }
}
