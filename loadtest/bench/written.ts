import type { Storage } from '../../engine/log/log.ts'
import { LOG_START, type LogEnd } from '../../engine/room/chain.ts'
import type { RoomInput } from '../../engine/room/input.ts'
import type { KeyRing } from '../../engine/room/keyring.ts'
import { sealInput } from '../../engine/room/sealing.ts'
import type { LoadedGame } from '../../engine/rules/game.ts'
import { encodeRecord, recordChecksum } from '../../protocol/record.ts'

export const PLAYERS = Array.from({ length: 8 }, (_, seat) => `player-${seat}`)
const STAMP = { at: 1_700_000_000_000, seed: 7 }

export interface Writing {
  game: LoadedGame
  storage: Storage
  /** Has the players' keys. */
  keys: KeyRing
}

const origin = (by: string, ref: number) => ({ by, session: `session-of-${by}`, ref, digest: ref })

/** The events of a room of a game until these players have begun. */
export function* begun(
  room: string,
  game: string,
  players: readonly string[],
  options: unknown = {},
): Generator<RoomInput> {
  const setting = { game, version: 1, options, public: false }
  yield { type: 'room.created', room, by: players[0] ?? '', digest: 1, ...setting, ...STAMP }
  for (const by of players) yield { type: 'player.joined', by, name: by, origin: origin(by, 1), ...STAMP }
  yield { type: 'room.started', origin: null, ...STAMP }
}

/** The events of a room of `bench`: eight players, then moves. */
export function* benchEvents(room: string, moves: number): Generator<RoomInput> {
  yield* begun(room, 'bench', PLAYERS)
  for (let turn = 0; turn < moves; turn++) {
    const by = PLAYERS[turn % PLAYERS.length] ?? ''
    const payload = { cell: turn % 64, value: turn }
    yield { type: 'move', move: 'set', payload, origin: origin(by, turn + 2), at: STAMP.at + turn, seed: turn }
  }
}

/** Appends events to a room's log after `from`, so many a record, as an engine does; resolves with where the log ends. */
export const writeRoom = async (
  room: string,
  events: readonly RoomInput[],
  perRecord: number,
  { game, storage, keys }: Writing,
  from: LogEnd = LOG_START,
): Promise<LogEnd> => {
  let end = from
  for (let at = 0; at < events.length; at += perRecord) {
    const inputs = events.slice(at, at + perRecord).map((input) => sealInput(input, room, game.runner, keys))
    const head = { room, kind: 'events' as const, epoch: 1, id: `e.${end.seq}`, first: end.seq + 1 }
    const record = encodeRecord({ ...head, previous: end.checksum, inputs, rules: game.hash })
    const position = await storage.append(room, end.position, record)
    end = { position, checksum: recordChecksum(record), seq: end.seq + inputs.length }
  }
  return end
}
