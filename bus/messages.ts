import type { RtpParameters, SrtpParameters } from 'mediasoup/types'
import type { CloseCode, ErrorCode } from '../protocol/errors.ts'
import type { Phase, PlayerId, Ref, Role, RoomId, Seq, SessionId } from '../protocol/frames.ts'

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

export type MediaNodeId = string

/**
 * Who may see and hear whom, with every list written out: what is not named is denied. `players` are those of the game who are
 * still in the room; each has a row in `viewers`, and may be a peer that publishes. Spectators share one row, and publish nothing.
 */
export interface MediaPolicy {
  players: readonly PlayerId[]
  viewers: Readonly<Record<PlayerId, MediaRow>>
  spectators: MediaRow
}

export interface MediaRow {
  see: readonly PlayerId[]
  hear: readonly PlayerId[]
}

/** What arrives at a media node, from the engine that owns the room. A node ignores what has a lower epoch than it has seen of the room. */
export type ToMediaNode = MediaLease | MediaCall | MediaGone | MediaRelease

interface ToNode {
  /** Where the node answers to. */
  engine: EngineId
  room: RoomId
  /** The owner's epoch of the room's partition. */
  epoch: number
}

/**
 * The policy of a room, as of `seq`, for 5 s from when the beat left that it names: without another one all consumers of the room
 * are paused. Repeated every second, whole until it is acknowledged.
 */
export interface MediaLease extends ToNode {
  kind: 'media-lease'
  seq: Seq
  /** Of the policy. */
  hash: string
  /** Null where the node has acknowledged this hash. */
  policy: MediaPolicy | null
  /** The last beat of this node that the engine had heard; 0: none. */
  beat: number
  /** Every node that has part of the room, the first of them its home: what is published at one can be received at each. */
  nodes: readonly MediaNodeId[]
}

/** A CALL `media.*` of a member. Answered by one MediaReply; sent again with its id until it is. */
export interface MediaCall extends ToNode {
  kind: 'media-call'
  id: number
  peer: { player: PlayerId; session: SessionId; role: Role }
  /** The client's: its retry gets the answer of the first. */
  ref: Ref
  method: string
  /** As the client sent them: not checked. */
  params: unknown
}

/** These members are out of the room, or in it in another role than their peers: these end. Who is not named here and falls silent ends by itself. */
export interface MediaGone extends ToNode {
  kind: 'media-gone'
  players: readonly PlayerId[]
}

/** The engine that says so does not own the room any more, and its next owner may not know where it is: the node says MediaOrphan at once. */
export interface MediaRelease {
  kind: 'media-release'
  room: RoomId
}

/** What arrives at an engine from media nodes. */
export type ToEngine = MediaReply | MediaAck | MediaTell | MediaSpeaker

export interface MediaReply {
  kind: 'media-reply'
  node: MediaNodeId
  id: number
  answer: { value: unknown } | { refused: { code: ErrorCode; message: string; detail?: unknown } }
}

/** What a node enforces of a room, after each lease. */
export interface MediaAck {
  kind: 'media-ack'
  node: MediaNodeId
  room: RoomId
  epoch: number
  /** Null while it has no policy of this epoch: everything is denied. */
  hash: string | null
  /** How many members use video here. */
  peers: number
}

/** A NOTE for one session of a member. May be lost: what counts is asked for again by the client. */
export interface MediaTell {
  kind: 'media-tell'
  node: MediaNodeId
  room: RoomId
  epoch: number
  to: { player: PlayerId; session: SessionId }
  topic: `media.${string}`
  data: unknown
}

/** Who speaks loudest now in the whole room; null: nobody. Every node of a room says it, and its home counts. */
export interface MediaSpeaker {
  kind: 'media-speaker'
  node: MediaNodeId
  room: RoomId
  epoch: number
  player: PlayerId | null
}

/** Every media node says this once a second, and at once when it changes; after 3 to 4 s of silence it counts as gone. */
export interface MediaBeat {
  kind: 'media-beat'
  node: MediaNodeId
  /** Rises by one with each, from 1. */
  number: number
  /** `preparing`: its worker program is being built or fetched; `draining`: takes no rooms, and gives up those it has. */
  state: 'ready' | 'preparing' | 'draining' | 'failed'
  /** Of the preparation, 0 to 1; null where that is not known. */
  progress: number | null
  /** Why it failed, for people; null otherwise. */
  problem: string | null
  /** Consumers per core that it has: the least loaded node gets the next room. */
  load: number
  /** Every worker has all that it should carry: a room's next peers go to another node where there is one. */
  isFull: boolean
}

/**
 * A room with these players on video here, whose owner has said nothing lately: said to all engines every second. Who owns it now
 * goes on with it here.
 */
export interface MediaOrphan {
  kind: 'media-orphan'
  node: MediaNodeId
  /** The node's last beat. */
  beat: number
  room: RoomId
  players: readonly PlayerId[]
}

/** A media node asks all others what they carry of a room. */
export interface MediaQuestion {
  kind: 'media-question'
  node: MediaNodeId
  id: number
  room: RoomId
}

/** The answer of a node that has part of the room. */
export interface MediaAudit {
  kind: 'media-audit'
  node: MediaNodeId
  id: number
  /** Every node that has part of the room. */
  nodes: readonly MediaNodeId[]
  consumers: readonly MediaConsumer[]
}

/** What one consumer carries. */
export interface MediaConsumer {
  /** Where it is. */
  node: MediaNodeId
  viewer: PlayerId
  role: Role
  player: PlayerId
  source: MediaSource
  /** Whether the policy grants it now, and whether the client wants it: it flows where both are true. */
  granted: boolean
  wanted: boolean
  /** Sent to the viewer so far. */
  bytes: number
}

/** What media nodes that share a room say to each other. */
export type BetweenMediaNodes = MediaPart | MediaLevels

interface FromNode {
  node: MediaNodeId
  room: RoomId
  /** Rises with whatever this node says of the room; what is not above the last is not heard. */
  number: number
}

/**
 * All that a node has to say to one other of a room that both have part of: said when it changes, and again every second, so
 * that what is lost, doubled or late does no harm.
 */
export interface MediaPart extends FromNode {
  kind: 'media-part'
  /** What is published at this node. */
  tracks: readonly { track: string; player: PlayerId; source: MediaSource; muted: boolean }[]
  /** Tracks of the other node that are received here, or are to be. `has`: it has come; `flows`: somebody here receives it now. */
  wants: readonly { track: string; has: boolean; flows: boolean }[]
  /** This node's end of the pipe between them; null: none. */
  pipe: MediaPipeEnd | null
  /** Tracks of this node that go through the pipe, each under an id of its own. `rtpParameters` is null where the other one has it. */
  sends: readonly { track: string; id: string; rtpParameters: RtpParameters | null }[]
}

export interface MediaPipeEnd {
  id: string
  /** The id of the other end, which this one is connected to for good; null while it waits for one. */
  to: string | null
  ip: string
  port: number
  srtp: SrtpParameters
}

export type MediaSource = 'camera' | 'microphone' | 'screen' | 'screen-audio'

/** How loud each of those speaks who publish at this node, above 0 to 1. Said like a MediaPart. */
export interface MediaLevels extends FromNode {
  kind: 'media-levels'
  levels: Readonly<Record<PlayerId, number>>
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

export type Message =
  | Request
  | Envelope
  | ToMediaNode
  | ToEngine
  | MediaBeat
  | MediaOrphan
  | MediaQuestion
  | MediaAudit
  | BetweenMediaNodes
  | GatewayBeat
  | EngineBeat
  | Seats
