import { z } from 'zod'
import { type IndexFilter, passes } from './index-filter.ts'
import type { JetStreamLink } from './jetstream-link.ts'
import type { JetStreamPlaces } from './jetstream-places.ts'
import { readAfter } from './jetstream-read.ts'
import { type IndexRow, StorageError } from './log.ts'

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

export const encodeRow = ({
  room,
  game,
  rules,
  status,
  due,
  public: open,
  phase,
  players,
  seq,
}: IndexRow): Uint8Array => {
  const row: IndexRow = { room, game, rules, status, due, public: open, phase, players, seq }
  return new TextEncoder().encode(JSON.stringify(row))
}

/** Throws StorageError where it is not as we wrote it. */
export const decodeRow = (body: Uint8Array): IndexRow => {
  try {
    return Row.parse(JSON.parse(new TextDecoder().decode(body)))
  } catch (error) {
    throw new StorageError(`a row of the room index is damaged: ${error}`, { cause: error })
  }
}

/** Beyond so many partitions one reading of all rows is cheaper than one of each. */
const MOST_PARTITIONS = 128

/** Resolves with the rows that the filter lets through, in no order, as they are when it resolves or newer. Rejects with StorageError. */
export const readRows = async (
  link: JetStreamLink,
  places: JetStreamPlaces,
  filter: IndexFilter,
): Promise<IndexRow[]> => {
  const { partitions } = filter
  const chosen = partitions === undefined || partitions.size > MOST_PARTITIONS ? [undefined] : [...partitions]
  const lists = await Promise.all(
    chosen.map((partition) => readAfter(link, places.rows(partition), 0, Number.POSITIVE_INFINITY)),
  )
  // A row that is written again while it is listed may come twice: the later one counts.
  const bodies = new Map(lists.flat().map(({ subject, body }) => [subject, body]))
  return [...bodies.values()].map(decodeRow).filter((row) => passes(row, filter))
}
