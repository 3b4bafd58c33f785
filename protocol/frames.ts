import type { ErrorCode } from './errors.ts'

/** Frame operation codes: the first element of every frame. */
export const OP = {
  hello: 1,
  create: 2,
  join: 3,
  leave: 4,
  move: 5,
  cast: 6,
  call: 7,
  ping: 8,
  match: 9,
  input: 10,
  welcome: 32,
  ok: 33,
  err: 34,
  state: 35,
  patch: 36,
  emit: 37,
  castOut: 38,
  pong: 39,
  note: 40,
  bye: 41,
} as const

export const PROTOCOL_VERSION = 1

export type RoomId = string
export type PlayerId = string
export type SessionId = string
/** A positive integer that the client chooses, increasing within its session. */
export type Ref = number
/** How many events the room's log holds. */
export type Seq = number
export type Role = 'player' | 'spectator'
export type Phase = 'open' | 'playing' | 'over'

export interface Member {
  name: string
  connected: boolean
}

/** What one member may know. `Game` is what the rules show this viewer; null while the room is open. */
export interface RoomDocument<Game = unknown> {
  room: {
    phase: Phase
    game: string
    version: number
    host: PlayerId
    players: PlayerId[]
    members: Record<PlayerId, Member>
    /** The room that CALL `again` made; absent until then. */
    next?: RoomId
  }
  game: Game | null
}

export type PathStep = string | number
/** `[path, value]` sets, `[path]` deletes; `[]` as a path replaces the whole document. */
export type PatchOp = [path: PathStep[], value: unknown] | [path: PathStep[]]

// client → server
export type HelloFrame = [op: 1, { v: number; token?: string; session?: SessionId; client?: string }]
export type CreateFrame = [op: 2, ref: Ref, game: string, options?: unknown, extra?: { public?: boolean } | null]
export type JoinFrame = [op: 3, ref: Ref, room: RoomId, extra?: { role?: Role; since?: Seq } | null]
export type LeaveFrame = [op: 4, ref: Ref, room: RoomId]
export type MoveFrame = [op: 5, ref: Ref, room: RoomId, type: string, payload?: unknown]
export type CastFrame = [op: 6, room: RoomId, channel: string, payload?: unknown]
export type CallFrame = [op: 7, ref: Ref, room: RoomId, method: string, params?: unknown]
export type PingFrame = [op: 8, t: number]
export type MatchFrame = [op: 9, ref: Ref, game: string, options?: unknown]
export type InputFrame = [op: 10, room: RoomId, payload?: unknown]
export type ClientFrame =
  | HelloFrame
  | CreateFrame
  | JoinFrame
  | LeaveFrame
  | MoveFrame
  | CastFrame
  | CallFrame
  | PingFrame
  | MatchFrame
  | InputFrame

// server → client
export interface Welcome {
  v: 1
  session: SessionId
  player: { id: PlayerId; name: string }
  /** Server time, ms since the epoch. */
  now: number
  resumed: boolean
  /** `frame`: bytes of a frame; `rate`: frames per second sustained per player (burst twice that). */
  limits: { frame: number; rate: number }
}
export type WelcomeFrame = [op: 32, Welcome]
export type OkFrame = [op: 33, ref: Ref, value?: unknown]
export type ErrFrame = [op: 34, ref: Ref | null, code: ErrorCode, message: string, detail?: unknown]
export type StateFrame = [op: 35, room: RoomId, seq: Seq, document: RoomDocument]
export type PatchFrame = [op: 36, room: RoomId, from: Seq, seq: Seq, ops: PatchOp[]]
export type GameEvent = { type: string; [key: string]: unknown }
export type EmitFrame = [op: 37, room: RoomId, seq: Seq, event: GameEvent]
export type CastOutFrame = [op: 38, room: RoomId, from: PlayerId, channel: string, payload: unknown]
export type PongFrame = [op: 39, t: number, now: number]
export type NoteFrame = [op: 40, room: RoomId, topic: string, data: unknown]
export type ByeFrame = [op: 41, reason: string, { retryAfter?: number; resume: boolean }]
export type ServerFrame =
  | WelcomeFrame
  | OkFrame
  | ErrFrame
  | StateFrame
  | PatchFrame
  | EmitFrame
  | CastOutFrame
  | PongFrame
  | NoteFrame
  | ByeFrame

/** Hard limits of form for one frame. The frame's own array is depth 1. */
export const FRAME_LIMITS = { bytes: 16_384, depth: 32 } as const

export const ROOM_ID = /^[A-Za-z0-9_-]{1,64}$/
/** `__proto__` is no id: documents are keyed by player. */
export const PLAYER_ID = /^(?!__proto__$)[A-Za-z0-9._:@-]{1,64}$/
export const SESSION_ID = /^[A-Za-z0-9_-]{16,64}$/
/** Names of games, moves, channels and methods. */
export const NAME = /^.{1,64}$/su
