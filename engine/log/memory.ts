import type { Chance } from '../../protocol/clock.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import { checkAppend, checkPage, checkPlayer, checkRoom } from './bounds.ts'
import { passes } from './index-filter.ts'
import { type Entry, Fenced, type IndexRow, NotStored, type Position, type Storage, StorageError } from './log.ts'

const copy = (bytes: Uint8Array) => new Uint8Array(bytes)
const copyEntry = ({ position, record }: Entry): Entry => ({ position, record: copy(record) })
const pageOf = (ids: Iterable<RoomId>, after: RoomId | '', limit: number) =>
  [...ids]
    .filter((id) => id > after)
    .sort()
    .slice(0, limit)

/**
 * Returns a storage that lasts as long as the object. What a call writes is in place when the call returns, and its
 * promise settles later; every buffer is copied on its way in and out. For tests, simulations and `--durability memory`.
 */
export const memoryStorage = ({ chance }: { chance: Chance }): Storage => {
  const records = new Map<RoomId, Entry[]>()
  const snapshots = new Map<RoomId, Uint8Array>()
  const rows = new Map<RoomId, IndexRow>()
  const rules = new Map<string, { game: string; version: number; source: string }>()
  const keys = new Map<PlayerId, Uint8Array>()
  let position: Position = 0
  let epoch = 0
  let closed = false

  const mayWrite = () => {
    if (closed) throw new NotStored('the log is closed')
  }
  const mayRead = () => {
    if (closed) throw new StorageError('the log is closed')
  }

  return {
    durability: 'memory',
    exclusive: true,

    async append(room, after, record, index) {
      mayWrite()
      checkAppend(room, after, record, index)
      const entries = records.get(room) ?? []
      if ((entries.at(-1)?.position ?? 0) !== after) throw new Fenced(room)
      position += 1
      entries.push({ position, record: copy(record) })
      records.set(room, entries)
      if (index) rows.set(room, { ...index })
      return position
    },
    async read(room, after, limit) {
      mayRead()
      checkRoom(room)
      checkPage(after, limit)
      const entries = records.get(room) ?? []
      const from = entries.findIndex((entry) => entry.position > after)
      return from < 0 ? [] : entries.slice(from, from + limit).map(copyEntry)
    },
    async last(room) {
      mayRead()
      checkRoom(room)
      const entry = records.get(room)?.at(-1)
      return entry ? copyEntry(entry) : null
    },
    async rooms(after, limit) {
      mayRead()
      checkPage(after, limit)
      return pageOf(records.keys(), after, limit)
    },

    async putSnapshot(room, snapshot) {
      mayWrite()
      checkRoom(room)
      snapshots.set(room, copy(snapshot))
    },
    async snapshot(room) {
      mayRead()
      checkRoom(room)
      const snapshot = snapshots.get(room)
      return snapshot ? copy(snapshot) : null
    },

    async putIndex(changed) {
      mayWrite()
      for (const row of changed) checkRoom(row.room)
      for (const row of changed) rows.set(row.room, { ...row })
    },
    async index(room) {
      mayRead()
      checkRoom(room)
      const row = rows.get(room)
      return row ? { ...row } : null
    },
    async listIndex(filter, after, limit) {
      mayRead()
      checkPage(after, limit)
      const matching = new Map([...rows].filter(([, row]) => passes(row, filter)))
      return pageOf(matching.keys(), after, limit).flatMap((room) => {
        const row = matching.get(room)
        return row ? [{ ...row }] : []
      })
    },

    async putRules(hash, game, version, source) {
      mayWrite()
      if (!rules.has(hash)) rules.set(hash, { game, version, source })
    },
    async rules(hash) {
      mayRead()
      const kept = rules.get(hash)
      return kept ? { ...kept } : null
    },

    async playerKey(player) {
      mayWrite()
      checkPlayer(player)
      const key = keys.get(player) ?? copy(chance.bytes(32))
      keys.set(player, key)
      return copy(key)
    },
    async existingKey(player) {
      mayRead()
      checkPlayer(player)
      const key = keys.get(player)
      return key ? copy(key) : null
    },
    async forgetPlayer(player) {
      mayWrite()
      checkPlayer(player)
      keys.delete(player)
    },

    async nextEpoch() {
      mayWrite()
      epoch += 1
      return epoch
    },
    async close() {
      closed = true
    },
  }
}
