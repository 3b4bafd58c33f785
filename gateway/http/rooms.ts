import type { Chance } from '../../protocol/clock.ts'
import { decode, encode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { ERROR_CODES, Refusal } from '../../protocol/errors.ts'
import { OP, ROOM_ID } from '../../protocol/frames.ts'
import type { Gateway } from '../gateway.ts'
import type { Identity } from '../identity.ts'
import { createdRoom, idempotentSession } from '../room-id.ts'
import { jsonBody } from './body.ts'
import { type HttpReply, type HttpRequest, json, problem, refused } from './reply.ts'

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/

export interface RoomRoutes {
  gateway: Pick<Gateway, 'ask' | 'command'>
  chance: Chance
  clusterKey: Uint8Array
  /** Bytes of a frame. */
  frame: number
}

/** `POST /v1/rooms {game, options?, public?}` → 201 `{room}`: a CREATE whose session and ref stand for the Idempotency-Key. */
export const postRoom = async (request: HttpRequest, identity: Identity, routes: RoomRoutes): Promise<HttpReply> => {
  const key = request.headers.get('idempotency-key')
  if (key !== undefined && !IDEMPOTENCY_KEY.test(key))
    return problem('bad_frame', 'Idempotency-Key is 1 to 255 visible ASCII characters')
  const body = await jsonBody(request)
  if ('refusal' in body) return body.refusal
  const { game, options = null, public: isPublic = false } = body.object
  if (typeof game !== 'string' || game === '' || game.length > 64)
    return problem('bad_frame', 'game: the id of a game is needed')
  if (typeof isPublic !== 'boolean') return problem('bad_frame', 'public: true or false was expected')
  const { id, name } = identity
  const random = () => Buffer.from(routes.chance.bytes(16)).toString('base64url')
  const session = key === undefined ? random() : idempotentSession(routes.clusterKey, id, key)
  const ref = 1
  let bytes: Uint8Array
  try {
    bytes = encode([OP.create, ref, game, options, { public: isPublic }])
  } catch (error) {
    if (error instanceof TypeError) return problem('bad_frame', `options: ${error.message}`)
    throw error
  }
  if (bytes.length > routes.frame)
    return problem('bad_frame', `options: more than ${routes.frame} bytes`, { status: 413 })
  const room = createdRoom(routes.clusterKey, id, session, ref)
  const frames = await routes.gateway.command({ player: { id, name }, session }, room, { bytes, ref })
  return createdReply(frames, room)
}

const createdReply = (frames: Uint8Array[], room: string): HttpReply => {
  for (const bytes of frames) {
    const frame = decode(bytes, SERVER_LIMITS)
    if (!Array.isArray(frame)) continue
    if (frame[0] === OP.ok) return json(201, { room }, { Location: `/v1/rooms/${room}` })
    const code = ERROR_CODES.find((code) => code === frame[2])
    if (frame[0] === OP.err && code) return refused(new Refusal(code, String(frame[3]), frame[4]))
  }
  return problem('internal', 'the room did not answer')
}

/** `GET /v1/rooms?game=` → the public rooms. */
export const getRooms = async (request: HttpRequest, { gateway }: RoomRoutes): Promise<HttpReply> => {
  const told = await gateway.ask({ type: 'rooms', game: request.query.get('game') })
  return 'rooms' in told ? json(200, { rooms: told.rooms }) : problem('internal', 'an engine answered something else')
}

/** `GET /v1/rooms/R` → one room, public or not. */
export const getRoom = async (room: string, { gateway }: RoomRoutes): Promise<HttpReply> => {
  const none = problem('not_found', 'there is no such room')
  if (!ROOM_ID.test(room)) return none
  const told = await gateway.ask({ type: 'room', room })
  return 'room' in told && told.room !== null ? json(200, told.room) : none
}

/** `GET /v1/games` → what can be played here. */
export const getGames = async ({ gateway }: RoomRoutes): Promise<HttpReply> => {
  const told = await gateway.ask({ type: 'games' })
  return 'games' in told ? json(200, { games: told.games }) : problem('internal', 'an engine answered something else')
}
