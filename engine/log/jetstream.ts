import { z } from 'zod'
import { partitionOf } from '../../bus/subjects.ts'
import type { RoomId } from '../../protocol/frames.ts'
import { checkAppend, checkPage, checkPlayer, checkRoom } from './bounds.ts'
import type { Stored } from './jetstream-direct.ts'
import { keyAt, keyIfAny } from './jetstream-keys.ts'
import { WrongSequence } from './jetstream-link.ts'
import { JetStreamPages } from './jetstream-pages.ts'
import { readAfter } from './jetstream-read.ts'
import { readRow, readRows, writeRow } from './jetstream-rows.ts'
import { type JetStreamOptions, openInstallation, prepareStreams } from './jetstream-streams.ts'
import { Turns } from './jetstream-turns.ts'
import { type Entry, FateUnknown, Fenced, type IndexRow, NotStored, type Storage, StorageError } from './log.ts'

const FSYNC_UNSEEN =
  'jetstream-r3-fsync: NATS does not tell its clients whether it syncs before it acknowledges: every server needs sync_interval: always in its jetstream configuration'

/**
 * Resolves with the storage of the installation that NATS holds under this prefix, made where it is missing; many processes may have it open. An append
 * resolves once JetStream acknowledged it, and is fenced by it. Rejects with StorageError.
 */
export const openJetStream = async (options: JetStreamOptions): Promise<Storage> => {
  const { durability, clock, chance, onWarning = () => {} } = options
  const installation = await openInstallation(options)
  await prepareStreams(installation)
  const { link, places } = installation
  if (durability === 'jetstream-r3-fsync') onWarning(FSYNC_UNSEEN)

  const [inRooms, ofSnapshots, ofRules, ofPlayers] = [new Turns(), new Turns(), new Turns(), new Turns()]
  const roomPages = new JetStreamPages<RoomId>(clock, (room) => room)
  const rowPages = new JetStreamPages<IndexRow>(clock, (row) => row.room)
  let closed = false
  const mayWrite = () => {
    if (closed) throw new NotStored('the log is closed')
  }
  const mayRead = () => {
    if (closed) throw new StorageError('the log is closed')
  }

  return {
    durability,
    exclusive: false,

    async append(room, after, record, index) {
      mayWrite()
      checkAppend(room, after, record, index)
      const body = new Uint8Array(record)
      const row = index && { ...index }
      return await inRooms.run(room, async () => {
        await ofPlayers.settled()
        const position = await link.write(places.events(room), body, after).catch((error) => {
          throw error instanceof WrongSequence ? new Fenced(room) : error
        })
        // After the record, for a refused one must leave the row as it was. A crash between leaves a room without a row, of which nobody was told: whoever
        // asked for it asks again, and finds it.
        if (row !== undefined)
          await writeRow(link, places, row).catch((error) => {
            throw new FateUnknown(`the room's row was not written: ${error.message}`, { cause: error })
          })
        return position
      })
    },
    async read(room, after, limit) {
      mayRead()
      checkRoom(room)
      checkPage(after, limit)
      return await inRooms.run(room, async () =>
        (await readAfter(link, places.events(room), after, limit)).map(entryOf),
      )
    },
    async last(room) {
      mayRead()
      checkRoom(room)
      return await inRooms.run(room, async () => {
        const last = await link.last(places.events(room))
        return last && entryOf(last)
      })
    },
    async rooms(after, limit) {
      mayRead()
      checkPage(after, limit)
      await inRooms.settled()
      return await roomPages.page('', after, limit, async () => {
        const subjects = await Promise.all(places.eventStreams.map((stream) => link.subjects({ stream, subject: '>' })))
        return subjects.flat().map((subject) => subject.slice(subject.lastIndexOf('.') + 1))
      })
    },

    async putSnapshot(room, snapshot) {
      mayWrite()
      checkRoom(room)
      const body = new Uint8Array(snapshot)
      await ofSnapshots.run(room, () => link.write(places.snapshot(room), body))
    },
    async snapshot(room) {
      mayRead()
      checkRoom(room)
      return await ofSnapshots.run(room, async () => (await link.last(places.snapshot(room)))?.body ?? null)
    },

    async putIndex(rows) {
      mayWrite()
      for (const { room } of rows) checkRoom(room)
      const copies = rows.map((row) => ({ ...row }))
      await Promise.all(copies.map((row) => inRooms.run(row.room, () => writeRow(link, places, row))))
    },
    async index(room) {
      mayRead()
      checkRoom(room)
      return await inRooms.run(room, () => readRow(link, places, room, onWarning))
    },
    async listIndex(filter, after, limit) {
      mayRead()
      checkPage(after, limit)
      const wanted = { ...filter, ...(filter.partitions && { partitions: new Set(filter.partitions) }) }
      // Not for all: the rooms of a takeover are read while rows of further partitions are.
      await inRooms.settled((room) => wanted.partitions?.has(partitionOf(room)) ?? true)
      const name = JSON.stringify({ ...wanted, partitions: wanted.partitions && [...wanted.partitions] })
      return await rowPages.page(name, after, limit, () => readRows(link, places, wanted, onWarning))
    },

    async putRules(hash, game, version, source) {
      mayWrite()
      const body = new TextEncoder().encode(JSON.stringify({ game, version, source }))
      await ofRules.run(hash, () =>
        link.write(places.rules(hash), body, 0).catch((error) => {
          if (!(error instanceof WrongSequence)) throw error
        }),
      )
    },
    async rules(hash) {
      mayRead()
      return await ofRules.run(hash, async () => {
        const kept = await link.last(places.rules(hash))
        return kept && rulesOf(kept.body)
      })
    },

    async playerKey(player) {
      mayWrite()
      checkPlayer(player)
      return await ofPlayers.run(player, () => keyAt(link, places.playerKey(player), chance))
    },
    async existingKey(player) {
      mayRead()
      checkPlayer(player)
      return await ofPlayers.run(player, () => keyIfAny(link, places.playerKey(player)))
    },
    async forgetPlayer(player) {
      mayWrite()
      checkPlayer(player)
      await ofPlayers.run(player, () => link.erase(places.playerKey(player)))
    },

    async nextEpoch() {
      mayWrite()
      return await link.write(places.one('epoch'), new Uint8Array())
    },
    async close() {
      closed = true
      await Promise.all([inRooms, ofSnapshots, ofRules, ofPlayers].map((turns) => turns.settled()))
      roomPages.close()
      rowPages.close()
    },
  }
}

const entryOf = ({ sequence, body }: Stored): Entry => ({ position: sequence, record: body })

const KeptRules = z.object({ game: z.string(), version: z.number(), source: z.string() })

/** Throws StorageError where they are not as we wrote them. */
const rulesOf = (body: Uint8Array): z.infer<typeof KeptRules> => {
  try {
    return KeptRules.parse(JSON.parse(new TextDecoder().decode(body)))
  } catch (error) {
    throw new StorageError(`rules in the archive are damaged: ${error}`, { cause: error })
  }
}
