import { Refusal } from '../../protocol/errors.ts'
import { type CreateFrame, OP, type PlayerId, type RoomId } from '../../protocol/frames.ts'
import type { Asker } from '../room/admit.ts'
import { digest } from '../room/digest.ts'
import type { InputOf, RoomInput } from '../room/input.ts'
import type { KeyRing } from '../room/keyring.ts'
import type { LiveRoom } from '../room/live.ts'
import { isConnected, isPlayer } from '../room/membership.ts'
import type { LoadedGame } from '../rules/game.ts'
import type { Library } from './library.ts'
import type { Rooms } from './rooms.ts'

interface CreationPorts {
  readonly rooms: Rooms
  readonly library: Library
  readonly keys: KeyRing
}

/** The game that new rooms are made of. Throws Refusal `not_found`, naming the games there are. */
export const gameNamed = (id: string, library: Library): LoadedGame => {
  const game = library.current(id)
  if (game !== undefined) return game
  throw new Refusal('not_found', `There is no game "${id}" here. Known games: ${library.ids().join(', ')}.`)
}

/** The first event of a room. */
export const roomCreated = (
  room: RoomId,
  { runner }: LoadedGame,
  by: PlayerId,
  digest: number,
  asked: { options: unknown; public: boolean },
  stamp: { at: number; seed: number },
): InputOf<'room.created'> => ({
  type: 'room.created',
  room,
  by,
  digest,
  game: runner.id,
  version: runner.version,
  ...asked,
  ...stamp,
})

/** Makes the room that a CREATE asks for, under the id that was derived for it; a retry finds it made. Rejects with Refusal. */
export const createRoom = async (
  [, , id, raw, extra]: CreateFrame,
  { by }: Asker,
  room: RoomId,
  { rooms, library }: CreationPorts,
): Promise<{ room: RoomId }> => {
  const game = gameNamed(id, library)
  const asked = { options: game.runner.parseOptions(raw), public: extra?.public === true }
  const content = digest([OP.create, id, asked])
  const made = await rooms.create(game, room, (at, seed) => [
    roomCreated(room, game, by, content, asked, { at, seed: seed() }),
  ])
  const { created } = made.state
  if (created.by === by && created.digest === content) return { room }
  throw new Refusal('conflict', 'This ref created another room. Use a new ref.')
}

/**
 * Makes the room that `again` named in this one, with those who are connected; harmless where it exists. Who was shown its
 * name, and joins it at once, waits until it is made. Rejects with Refusal.
 */
export const createNext = async ({ state, game }: LiveRoom, { rooms, library, keys }: CreationPorts): Promise<void> => {
  const { next, members } = state
  if (next === null) return
  const here = state.players.filter((p) => isConnected(state, p))
  const host = here.includes(state.host) || !isPlayer(state, state.host) ? state.host : (here[0] ?? state.host)
  const { now, options } = playedAgain(state, game, library)
  const joins = (at: number, seed: () => number): RoomInput[] =>
    here.map((by) => ({ type: 'player.joined', by, name: members[by]?.name ?? '', origin: null, at, seed: seed() }))
  await rooms.create(now, next, async (at, seed) => {
    for (const player of here) await keys.need(player)
    const first = roomCreated(next, now, host, 0, { options, public: state.public }, { at, seed: seed() })
    return [first, ...joins(at, seed)]
  })
}

/** The game as it is now, where it takes the same options; else the rules that were played under. */
const playedAgain = (
  { game: id, options }: LiveRoom['state'],
  game: LoadedGame,
  library: Library,
): { now: LoadedGame; options: unknown } => {
  const now = library.current(id)
  if (now === undefined || now.hash === game.hash) return { now: game, options }
  try {
    return { now, options: now.runner.parseOptions(options) }
  } catch (error) {
    if (error instanceof Refusal) return { now: game, options }
    throw error
  }
}
