import type { CloseCode, ErrorCode } from '../protocol/errors.ts'
import type { Phase, PlayerId, Ref, Role, RoomId, Seq, SessionId } from '../protocol/frames.ts'
import type { MediaMessage } from './media-messages.ts'

export type GatewayId = string
export type EngineId = string
/** A connection at one gateway; never used twice by that gateway. */
export type ConnId = number

/** What arrives at engines. Every request is answered by items with its id, and sent again until it is. */
export type Request = Command | Attach | Detach | Read | Ask

interface ToRoom {
  gateway: GatewayId
  /** Increasing per gateway. A resend keeps its id, so that an old copy that arrives late is recognised. */
  id: number
  room: RoomId
}

/**
 * Client frames for one room in the order in which they arrived, unopened past their head.
 * One is in flight per (connection, room). CREATE goes to the partition of the id derived for the new room,
 * MATCH to `matchPartition(game)` with an empty room; the engine there sends it on to the partition of the room that it found.
 */
export interface Command extends ToRoom {
  kind: 'command'
  /** Null for a request that attaches nothing: over HTTP, or `aside`. */
  conn: ConnId | null
  player: { id: PlayerId; name: string }
  session: SessionId
  /** True where it came beside the lane of a connection: that is no visit. */
  aside?: true
  /** Of a MATCH that names a room: since which epoch the engine that sends it on has the game's match partition. */
  queue?: number
  /** Whole client frames (msgpack), each within the limits of form. */
  frames: Uint8Array[]
}

/** Members of a room whose stream from the engine had a hole, or whose engine is new: go on from `since`. */
export interface Attach extends ToRoom {
  kind: 'attach'
  members: {
    conn: ConnId
    player: { id: PlayerId; name: string }
    session: SessionId
    role: Role
    /** The seq of the last STATE or PATCH that went to this connection. */
    since: Seq
    /** EMITs up to this seq went to this connection. */
    heard: Seq
    /** Of the JOIN that brought this connection into the room; null where the gateway was not told. */
    ref: Ref | null
    /** As its Read said; absent for what a JOIN attached. */
    as?: 'held' | 'stream'
  }[]
}

/** These connections ended. Answered with `done` and no frames. */
export interface Detach extends ToRoom {
  kind: 'detach'
  conns: ConnId[]
}

/**
 * A member reads a room over HTTP. Answered by one AnswerItem: what has changed since `since` (nothing, or a STATE or PATCH and
 * EMITs, then what is ephemeral), or one ERR with ref nil (`not_found`, `not_member`, `unavailable`, `internal`) and no place in
 * the room. What a poll is told is stamped with the head. A held poll is attached only where there was nothing to tell it; else
 * `attached` is null. The player counts as present while attached; where it is no stream, for `presenceMs` from now too.
 */
export interface Read extends ToRoom {
  kind: 'read'
  player: { id: PlayerId; name: string }
  session: SessionId
  /** The client holds the document of this seq, and heard the EMITs up to it; 0: nothing. */
  since: Seq
  /**
   * What is attached by it: null, nothing; `held`, a poll that waits for the next output and disturbs no other connection;
   * `stream`, one that goes on, and takes the place of the session's other connections to the room (4002).
   */
  attach: { conn: ConnId; as: 'held' | 'stream' } | null
  presenceMs: number
}

export interface Ask {
  kind: 'ask'
  gateway: GatewayId
  id: number
  about:
    | { type: 'games' }
    | { type: 'rooms'; game: string | null }
    | { type: 'room'; room: RoomId }
    | { type: 'matched'; game: string; queue: number; player: PlayerId; session: SessionId; ref: Ref }
}

export interface GameListing {
  id: string
  version: number
  title: string | Record<string, string>
  players: readonly [min: number, max: number]
  /** Whether its rooms start by themselves, when full or at creation; else the host starts them. */
  autoStart: boolean
  /** JSON Schema (2020-12) of the options; `{}` where the game has none. */
  options: object
  /** JSON Schema of each move's payload, by its name; `{}` where the game's schema library cannot say. */
  moves: Readonly<Record<string, object>>
}

export interface RoomListing {
  room: RoomId
  game: string
  phase: Phase
  players: number
  seats: number
}

/**
 * One message of the stream that an engine sends to a gateway. Numbers rise by one per engine and gateway;
 * every 500 ms the engine repeats its last number with no items. A number not above the last one that carries items is a
 * double and is dropped; a hole makes the gateway attach its members of that engine's rooms again. To a gateway that it took
 * for gone an engine begins anew, at a number that shows a hole.
 */
export interface Envelope {
  kind: 'envelope'
  engine: EngineId
  number: number
  items: Item[]
}

export type Item = AnswerItem | OutputItem | CloseItem | ToldItem

interface FromRoom {
  room: RoomId
  /** The owner's epoch of the room's partition; a gateway drops items with a lower one than it has seen. */
  epoch: number
}

/** Frames that answer a Command or a Read, or part of it: OK, ERR, and the STATE or PATCH and EMITs that follow a JOIN. */
export interface AnswerItem extends FromRoom {
  kind: 'answer'
  /** The request's id. */
  id: number
  conn: ConnId | null
  frames: Uint8Array[]
  /** True with the last part of the answer. */
  done: boolean
  /**
   * Where this connection stands in the room after these frames; null once it is out of the room; absent: unchanged.
   * Answers to an `attach` come one item per connection, the last with `done`. `ref`: of the JOIN that this answers.
   */
  attached?: { role: Role; seq: Seq; heard: Seq; ref?: Ref } | null
}

/** What one commit shows to members at this gateway. */
export interface OutputItem extends FromRoom {
  kind: 'output'
  /** EMITs up to this seq are in here or went before. */
  head: Seq
  parts: OutputPart[]
}

export interface OutputPart {
  /** All spectators of the room at this gateway, or these connections. */
  to: 'spectators' | ConnId[]
  /** A PATCH (`from` set) or a STATE (`from` null): a connection that does not stand at `from` must be attached again. */
  document: { from: Seq | null; seq: Seq; frame: Uint8Array } | null
  /** EMITs by seq. */
  emits: Uint8Array[]
  /** CASTs and NOTEs: dropped under pressure, without order towards the others. */
  ephemeral: Uint8Array[]
}

/** End this room on this connection: a newer connection took its place (code 4002), or the member is out of the room (code null: the socket stays, and gets a NOTE with `reason`, `kicked` or `left`, as its topic). */
export interface CloseItem extends FromRoom {
  kind: 'close'
  conn: ConnId
  code: CloseCode | null
  reason: string
}

/** Rooms that a list names at most. */
export const LISTED_MOST = 200

export type Told = { games: GameListing[] } | { rooms: RoomListing[] } | { room: RoomListing | null } | Matched

/** The room that was found for an earlier MATCH with this ref, or null where none of these partitions has it. */
export interface Matched {
  matched: { room: RoomId; game: string } | null
  /** Those that the engine owns and knows. */
  partitions: number[]
}

export interface ToldItem {
  kind: 'told'
  id: number
  /** What was asked for, or why there is no answer to it: a frozen room. */
  value: Told | { refused: { code: ErrorCode; message: string } }
  /** With a list of rooms, which are this engine's own: the list is whole once so many engines have told theirs. Absent: it is whole. */
  share?: { engine: EngineId; engines: number }
}

/** Every gateway says this to all engines once a second. One that says nothing for 3 s is gone, and so are its connections. */
export interface GatewayBeat {
  kind: 'gateway-beat'
  gateway: GatewayId
}

/**
 * Every engine says this to all gateways once a second, and at once when it takes over partitions: which it owns, and since
 * which epoch. A gateway attaches its members of a partition again whose epoch it did not know.
 */
export interface EngineBeat {
  kind: 'engine-beat'
  engine: EngineId
  /** Partition and epoch, one after the other: [3, 17, 9, 12] is partition 3 since 17 and 9 since 12. */
  owns: readonly number[]
}

/** Every engine says this to all engines once a second and when it changes: its public rooms with a free seat. */
export interface Seats {
  kind: 'seats'
  engine: EngineId
  rooms: readonly SeatsOfRoom[]
}

export interface SeatsOfRoom {
  room: RoomId
  game: string
  /** Of the rules that it runs on. */
  rules: string
  options: unknown
  players: number
  free: number
}

const REQUESTS: readonly string[] = ['command', 'attach', 'detach', 'read', 'ask'] satisfies Request['kind'][]

export const isRequest = (message: Message): message is Request => REQUESTS.includes(message.kind)

export type Message = Request | Envelope | MediaMessage | GatewayBeat | EngineBeat | Seats
