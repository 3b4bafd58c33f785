import type { RtpParameters, SrtpParameters } from 'mediasoup/types'
import type { ErrorCode } from '../protocol/errors.ts'
import type { PlayerId, Ref, Role, RoomId, Seq, SessionId } from '../protocol/frames.ts'
import type { EngineId } from './messages.ts'

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

export type MediaMessage =
  | ToMediaNode
  | ToEngine
  | MediaBeat
  | MediaOrphan
  | MediaQuestion
  | MediaAudit
  | BetweenMediaNodes
