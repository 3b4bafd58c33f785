import type { RoomListing } from '../../bus/messages.ts'
import type { RoomId } from '../../protocol/frames.ts'
import type { IndexRow, RoomIndex } from '../log/log.ts'
import type { LiveRoom } from '../room/live.ts'
import type { LoadedGame } from '../rules/game.ts'
import type { Library } from './library.ts'
import type { Rooms } from './rooms.ts'

interface ListingPorts {
  readonly rooms: Rooms
  readonly index: RoomIndex
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
  for (const row of await index.listIndex(filter, '', most - list.length)) {
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
