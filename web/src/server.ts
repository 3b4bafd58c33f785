import { MadangError } from '../../client/error.ts'
import { ERROR_CODES } from '../../protocol/errors.ts'

// What the lobby asks over HTTP: what can be played here, and where.

export interface Game {
  readonly id: string
  readonly title: string | Readonly<Record<string, string>>
  readonly players: readonly [min: number, max: number]
  /** Whether it starts by itself; else the host starts it. */
  readonly autoStart: boolean
  /** JSON Schema of the options. */
  readonly options: object
  /** JSON Schema of each move's payload, by its name. */
  readonly moves: Readonly<Record<string, object>>
}

export interface PublicRoom {
  readonly room: string
  readonly game: string
  readonly phase: 'open' | 'playing' | 'over'
  readonly players: number
  readonly seats: number
}

/** The games of this server. Rejects with MadangError. */
export const fetchGames = async (signal: AbortSignal): Promise<Game[]> =>
  listOf(await get('/v1/games', signal), 'games', isGame)

/** The public rooms. Rejects with MadangError. */
export const fetchRooms = async (signal: AbortSignal): Promise<PublicRoom[]> =>
  listOf(await get('/v1/rooms', signal), 'rooms', isRoom)

const get = async (path: string, signal: AbortSignal): Promise<unknown> => {
  const answer = await fetch(path, { signal }).catch(() => {
    throw new MadangError('unavailable', 'The server did not answer.')
  })
  const body: unknown = await answer.json().catch(() => null)
  if (answer.ok) return body
  const code = ERROR_CODES.find((code) => code === field(body, 'code')) ?? 'unavailable'
  throw new MadangError(code, String(field(body, 'detail') ?? `The server answered ${answer.status}.`))
}

const listOf = <T>(body: unknown, name: string, is: (value: unknown) => value is T): T[] => {
  const list = field(body, name)
  if (!Array.isArray(list)) throw new MadangError('internal', 'The server answered something else.')
  return list.filter(is)
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

const isGame = (value: unknown): value is Game => {
  const [players, title] = [field(value, 'players'), field(value, 'title')]
  return (
    typeof field(value, 'id') === 'string' &&
    (typeof title === 'string' || (typeof title === 'object' && title !== null)) &&
    Array.isArray(players) &&
    players.length === 2 &&
    players.every((count) => typeof count === 'number') &&
    typeof field(value, 'autoStart') === 'boolean' &&
    typeof field(value, 'options') === 'object' &&
    typeof field(value, 'moves') === 'object'
  )
}

const isRoom = (value: unknown): value is PublicRoom =>
  typeof field(value, 'room') === 'string' &&
  typeof field(value, 'game') === 'string' &&
  typeof field(value, 'phase') === 'string' &&
  typeof field(value, 'players') === 'number' &&
  typeof field(value, 'seats') === 'number'
