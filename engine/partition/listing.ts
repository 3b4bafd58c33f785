import type { RoomListing } from '../../bus/messages.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { RoomId } from '../../protocol/frames.ts'
import type { IndexRow, RoomIndex } from '../log/log.ts'
import type { LiveRoom } from '../room/live.ts'
import type { LoadedGame } from '../rules/game.ts'
import type { Library } from './library.ts'
import type { Rooms } from './rooms.ts'

/** Different lists that are read at once. */
const LISTS_MOST = 16

export type ListedIndex = Pick<RoomIndex, 'index' | 'listIndex'>

/**
 * Returns the index, of which each list is read once for all who ask for it meanwhile: where engines share a store, a few rows cost as much as all. A list
 * rejects with Refusal where too many others are being read, and as `index`.
 */
export const readOnce = (index: ListedIndex): ListedIndex => {
  const underWay = new Map<string, Promise<IndexRow[]>>()
  return {
    index: (room) => index.index(room),
    async listIndex(filter, after, limit) {
      const name = JSON.stringify([
        { ...filter, partitions: filter.partitions && [...filter.partitions] },
        after,
        limit,
      ])
      const present = underWay.get(name)
      if (present !== undefined) return present
      if (underWay.size === LISTS_MOST)
        throw new Refusal('unavailable', 'Too many lists of rooms are being read. Ask again.')
      const rows = index.listIndex(filter, after, limit).finally(() => underWay.delete(name))
      underWay.set(name, rows)
      return rows
    },
  }
}

interface ListingPorts {
  readonly rooms: Rooms
  readonly index: ListedIndex
  readonly library: Library
  /** Those that this engine owns. */
  readonly partitions: ReadonlySet<number>
}

/** What is public about one room, or null where there is none; without bringing it into memory where the index tells. Rejects as `Rooms.get`. */
export const listRoom = async (
  room: RoomId,
  { rooms, index, library }: Omit<ListingPorts, 'partitions'>,
): Promise<RoomListing | null> => {
  const here = rooms.here(room)
  if (here !== undefined) return listLive(here)
  const row = await index.index(room)
  const game = row === null ? undefined : await library.byHash(row.rules)
  if (row !== null && row.status !== 'live' && game) return listRow(row, game)
  const live = await rooms.get(room)
  return live === null ? null : listLive(live)
}

/** This engine's public rooms that are not over, at most `most`; those in memory first. */
export const listRooms = async (
  game: string | null,
  most: number,
  { rooms, index, library, partitions }: ListingPorts,
): Promise<RoomListing[]> => {
  const wanted = ({ state }: LiveRoom) =>
    state.public && state.phase !== 'over' && (game === null || state.game === game)
  const list = [...rooms.live()].filter(wanted).map(listLive)
  if (list.length >= most) return list.slice(-most)
  const filter = { status: 'asleep' as const, public: true, partitions, ...(game === null ? {} : { game }) }
  // All that fit, however many are in memory just now: the same list for all who ask.
  for (const row of await index.listIndex(filter, '', most)) {
    if (list.length === most) break
    const loaded = await library.byHash(row.rules)
    if (loaded !== null && row.phase !== 'over' && rooms.here(row.room) === undefined) list.push(listRow(row, loaded))
  }
  return list
}

const listLive = ({ room, state, game }: LiveRoom): RoomListing => ({
  room,
  game: state.game,
  phase: state.phase,
  players: state.players.length,
  seats: game.runner.players[1],
})

const listRow = ({ room, game, phase, players }: IndexRow, { runner }: LoadedGame): RoomListing => ({
  room,
  game,
  phase,
  players,
  seats: runner.players[1],
})
