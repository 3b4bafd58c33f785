import type { Chance, Clock } from '../protocol/clock.ts'
import { SESSION_ID, type SessionId } from '../protocol/frames.ts'
import { edge } from './edge.ts'
import type { Credential } from './entrance.ts'
import type { Environment, Fetch, Network, OpenSocket } from './environment.ts'
import { TRANSPORTS, type TransportName } from './link.ts'
import { Session } from './session.ts'

export type { ErrorCode } from '../protocol/errors.ts'
export type { GameEvent, Member, Phase, PlayerId, Role, RoomDocument, RoomId, Seq } from '../protocol/frames.ts'
export type { ClosedWhy } from './closing.ts'
export type { SessionState } from './connection.ts'
export { MadangError } from './error.ts'
export type { DocumentOf, GameLike, GameViewOf, MovesOf } from './game.ts'
export type { TransportName } from './link.ts'
export type {
  MediaState,
  MediaStats,
  OwnTrack,
  PlayerStream,
  Quality,
  ReceivedStats,
  RoomMedia,
  SentStats,
  Source,
} from './media/types.ts'
export type { Room, RoomClosed, RoomEvents, RoomView } from './room.ts'
export type { Session, SessionEvents } from './session.ts'
export type { WireEvent } from './wire.ts'

const DEADLINE_MS = 30_000
const POLL_MS = 1_000
/** More often than this, polling asks more of a server than any game needs, ms. */
const LEAST_POLL_MS = 50
const SESSION_BYTES = 18

export interface ConnectOptions {
  /** Of the server: http, https, ws or wss. */
  readonly url: string | URL
  /** The player's JWT. Without `token` and `guest`, the cookie `madang` says who it is. */
  readonly token?: string
  /** The name of a new guest. `session.token` is then the guest's token: keep it to be the same guest again. */
  readonly guest?: string
  /** A session's `id` to go on with, from a page that was loaded again; only one page uses it at a time. */
  readonly session?: SessionId
  /** Ms until a request without an answer fails as `unavailable`; 30 s. */
  readonly deadline?: number
  /**
   * What to run over. `auto`, the default: WebSocket, and what comes next where something between breaks it, event streams (`sse`), long
   * polling or polling; meanwhile it looks whether a better one works again. Any other: that one alone.
   */
  readonly transport?: 'auto' | TransportName
  /** Ms between two polls of `poll`; 1 s. */
  readonly pollInterval?: number
  readonly clock?: Clock
  readonly chance?: Chance
  readonly socket?: OpenSocket
  readonly fetch?: Fetch
  readonly network?: Network
}

/**
 * A session with a server, which starts to connect at once and reconnects by itself. Throws TypeError for options that
 * cannot be right; all else shows in `session.state`.
 *
 * @example
 * const session = connect({ url: 'http://localhost:3000', guest: 'Ann' })
 * const id = await session.create('tictactoe')
 * const room = await session.join<typeof tictactoe>(id)
 * await room.move.mark({ cell: 4 })
 */
export const connect = (options: ConnectOptions): Session => {
  const environment: Environment = {
    clock: options.clock ?? edge.clock,
    chance: options.chance ?? edge.chance,
    openSocket: options.socket ?? edge.openSocket,
    fetch: options.fetch ?? edge.fetch,
    network: options.network ?? edge.network,
    rtc: edge.rtc,
  }
  const { session, transport = 'auto', pollInterval = POLL_MS } = options
  if (transport !== 'auto' && !TRANSPORTS.includes(transport)) {
    throw new TypeError(`connect: a transport is auto, ${TRANSPORTS.join(', ')}`)
  }
  if (!(pollInterval >= LEAST_POLL_MS)) throw new TypeError(`connect: pollInterval is at least ${LEAST_POLL_MS} ms`)
  if (session !== undefined && !SESSION_ID.test(session)) {
    throw new TypeError('connect: a session is 16 to 64 of A-Z a-z 0-9 _ -')
  }
  return new Session(environment, {
    origin: originOf(options.url),
    credential: credentialOf(options),
    id: session ?? newSession(environment.chance),
    // A session that goes on used lower refs before: ms since the epoch grow faster than the rate at which a session may send.
    firstRef: session === undefined ? 1 : Math.floor(environment.clock.now()),
    deadline: options.deadline ?? DEADLINE_MS,
    transport,
    pollInterval,
  })
}

const originOf = (url: string | URL): string => {
  const { protocol, host, pathname } = new URL(url)
  if (!/^(http|ws)s?:$/.test(protocol)) throw new TypeError(`connect: ${url} is not http, https, ws or wss`)
  return `${protocol.replace('ws', 'http')}//${host}${pathname.replace(/\/+$/, '')}`
}

const credentialOf = ({ token, guest }: ConnectOptions): Credential => {
  if (token !== undefined && guest !== undefined) throw new TypeError('connect: give a token or a guest, not both')
  if (guest?.trim() === '') throw new TypeError('connect: a guest needs a name of 1 to 40 characters')
  if (token !== undefined) return { token }
  return guest === undefined ? { cookie: true } : { guest }
}

const newSession = (chance: Chance): SessionId => {
  const bytes = String.fromCharCode(...chance.bytes(SESSION_BYTES))
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_')
}
