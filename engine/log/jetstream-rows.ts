import { z } from 'zod'
import { messageOf } from '../../protocol/errors.ts'
import type { RoomId } from '../../protocol/frames.ts'
import { type IndexFilter, passes } from './index-filter.ts'
import type { Stored } from './jetstream-direct.ts'
import { type JetStreamLink, WrongSequence } from './jetstream-link.ts'
import type { JetStreamPlaces } from './jetstream-places.ts'
import { readLast } from './jetstream-read.ts'
import type { IndexRow } from './log.ts'

const Row = z.object({
  room: z.string(),
  game: z.string(),
  rules: z.string(),
  status: z.enum(['live', 'asleep', 'over']),
  due: z.number().nullable(),
  public: z.boolean(),
  phase: z.enum(['open', 'playing', 'over']),
  players: z.number(),
  seq: z.number(),
})

const encodeRow = ({ room, game, rules, status, due, public: open, phase, players, seq }: IndexRow): Uint8Array => {
  const row: IndexRow = { room, game, rules, status, due, public: open, phase, players, seq }
  return new TextEncoder().encode(JSON.stringify(row))
}

/** Null where NATS's tools have deleted it. One that is not as we wrote it is reported, and tells nothing but that there is such a room. */
const decodeRow = (
  { subject, body }: Pick<Stored, 'subject' | 'body'>,
  onWarning: (line: string) => void,
): IndexRow | null => {
  if (body.length === 0) return null
  try {
    return Row.parse(JSON.parse(new TextDecoder().decode(body)))
  } catch (error) {
    const room = roomIn(subject)
    onWarning(`the row of room ${room} in the index is damaged: its log is read instead (${messageOf(error)})`)
    // Whoever takes it over brings it into memory for that, and writes its row anew.
    return { room, game: '', rules: '', status: 'live', due: null, public: false, phase: 'open', players: 0, seq: 0 }
  }
}

const roomIn = (subject: string): RoomId => subject.slice(subject.lastIndexOf('.') + 1)

/**
 * Puts the row in place of the room's earlier one, and only of that: a write that hung on its way and was given up may still come, and must not
 * replace what was written since. Rejects with NotStored, FateUnknown or StorageError.
 */
export const writeRow = async (
  link: Pick<JetStreamLink, 'last' | 'write' | 'erase'>,
  places: JetStreamPlaces,
  row: IndexRow,
): Promise<void> => {
  const place = places.row(row)
  for (let isWritten = false; !isWritten; ) {
    const earlier = await link.last(place)
    isWritten = await link.write(place, encodeRow(row), earlier?.sequence ?? 0).then(
      () => true,
      (error) => {
        if (error instanceof WrongSequence) return false
        throw error
      },
    )
  }
  // A crash before that leaves a second, older row: whoever takes the room over finds it over, and writes it again.
  if (row.status === 'over') await link.erase(places.row({ ...row, status: 'live' }))
}

/** The room's row, or null. Rejects with StorageError. */
export const readRow = async (
  link: JetStreamLink,
  places: JetStreamPlaces,
  room: RoomId,
  onWarning: (line: string) => void,
): Promise<IndexRow | null> => {
  const row = await link.last(places.rowsOf(room))
  return row && decodeRow(row, onWarning)
}

/** For more partitions than this one question for the rows of all is cheaper than one for each, unless there are very many rows. */
const MOST_PARTITIONS = 64

/** Resolves with the rows that the filter lets through, in no order, as they are when it is called or newer. Rejects with StorageError. */
export const readRows = async (
  link: JetStreamLink,
  places: JetStreamPlaces,
  filter: IndexFilter,
  onWarning: (line: string) => void,
): Promise<IndexRow[]> => {
  const { partitions } = filter
  const chosen = partitions === undefined || partitions.size > MOST_PARTITIONS ? [undefined] : [...partitions]
  const lists = await Promise.all(chosen.map((partition) => readLast(link, places.rows(filter, partition))))
  // A room may have two, and one that is written while it is listed may come twice: the later one counts.
  const byRoom = new Map(lists.flat().map((row) => [roomIn(row.subject), row]))
  const rows = [...byRoom.values()].map((row) => decodeRow(row, onWarning))
  return rows.filter((row) => row !== null).filter((row) => passes(row, filter))
}
