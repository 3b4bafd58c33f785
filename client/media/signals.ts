import type { types } from 'mediasoup-client'
import type { PlayerId } from '../../protocol/frames.ts'
import { MadangError } from '../error.ts'
import type { Source } from './types.ts'

// What a media node is asked and says, as docs/protocol.md has it.

export type TrackId = string
export type ConsumerId = string
export type Direction = 'send' | 'receive'

export interface RemoteTrack {
  readonly track: TrackId
  readonly player: PlayerId
  readonly source: Source
  readonly kind: 'audio' | 'video'
  readonly muted: boolean
}

interface MineTrack {
  readonly track: TrackId
  readonly unseen: boolean
}

/** All that a peer may know; a higher `v` is newer. */
export interface PeerState {
  readonly peer: string
  readonly v: number
  readonly tracks: readonly RemoteTrack[]
  readonly mine: readonly MineTrack[]
}

/** The server's end of a WebRTC transport. */
interface Pipe {
  readonly id: string
  readonly iceParameters: types.IceParameters
  readonly iceCandidates: types.IceCandidate[]
  readonly dtlsParameters: types.DtlsParameters
}

export interface Joined {
  readonly peer: string
  readonly router: types.RtpCapabilities
  readonly iceServers: RTCIceServer[]
  /** Null for spectators. */
  readonly send: Pipe | null
  readonly receive: Pipe
  readonly state: PeerState
}

export interface Consumed {
  readonly consumer: ConsumerId
  readonly track: TrackId
  readonly kind: 'audio' | 'video'
  readonly rtpParameters: types.RtpParameters
}

export interface Produced {
  readonly kind: 'audio' | 'video'
  readonly source: Source
  readonly rtpParameters: types.RtpParameters
  readonly muted: boolean
}

/** The server's count of what it got and gave. */
export interface ServerStats {
  readonly send: readonly {
    readonly track: TrackId
    readonly bytes: number
    readonly packetsLost: number
    readonly score: number
    readonly bitrate: number
  }[]
  readonly receive: readonly {
    readonly consumer: ConsumerId
    readonly bytes: number
    readonly bitrate: number
    readonly score: number
    readonly paused: boolean
  }[]
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isListOf = <T>(value: unknown, is: (each: unknown) => each is T): value is T[] =>
  Array.isArray(value) && value.every(is)

const isSource = (value: unknown): value is Source =>
  value === 'camera' || value === 'microphone' || value === 'screen' || value === 'screen-audio'

const isKind = (value: unknown): value is 'audio' | 'video' => value === 'audio' || value === 'video'

const isRemoteTrack = (value: unknown): value is RemoteTrack =>
  isRecord(value) &&
  typeof value.track === 'string' &&
  typeof value.player === 'string' &&
  isSource(value.source) &&
  isKind(value.kind) &&
  typeof value.muted === 'boolean'

const isMineTrack = (value: unknown): value is MineTrack =>
  isRecord(value) && typeof value.track === 'string' && typeof value.unseen === 'boolean'

export const isPeerState = (value: unknown): value is PeerState =>
  isRecord(value) &&
  typeof value.peer === 'string' &&
  typeof value.v === 'number' &&
  isListOf(value.tracks, isRemoteTrack) &&
  isListOf(value.mine, isMineTrack)

/** What is inside of candidates and parameters, mediasoup-client checks. */
const isPipe = (value: unknown): value is Pipe =>
  isRecord(value) &&
  typeof value.id === 'string' &&
  isRecord(value.iceParameters) &&
  Array.isArray(value.iceCandidates) &&
  isRecord(value.dtlsParameters)

const isJoined = (value: unknown): value is Joined =>
  isRecord(value) &&
  typeof value.peer === 'string' &&
  isRecord(value.router) &&
  Array.isArray(value.iceServers) &&
  (value.send === null || isPipe(value.send)) &&
  isPipe(value.receive) &&
  isPeerState(value.state)

const isConsumed = (value: unknown): value is Consumed =>
  isRecord(value) &&
  typeof value.consumer === 'string' &&
  typeof value.track === 'string' &&
  isKind(value.kind) &&
  isRecord(value.rtpParameters)

const isRestarted = (value: unknown): value is { iceParameters: types.IceParameters } =>
  isRecord(value) && isRecord(value.iceParameters)

const isProduced = (value: unknown): value is { track: TrackId } => isRecord(value) && typeof value.track === 'string'

const isVersion = (value: unknown): value is { v: number } => isRecord(value) && typeof value.v === 'number'

const isServerStats = (value: unknown): value is ServerStats =>
  isRecord(value) && isListOf(value.send, isRecord) && isListOf(value.receive, isRecord)

/** Levels by player of a NOTE `media.speaking`; null where it is none. */
export const speakingOf = (data: unknown): ReadonlyMap<PlayerId, number> | null => {
  if (!isRecord(data) || !isRecord(data.players)) return null
  const levels = new Map<PlayerId, number>()
  for (const [player, level] of Object.entries(data.players)) if (typeof level === 'number') levels.set(player, level)
  return levels
}

/** What a refusal says of a worker that is being prepared: how far it is (null: not known); undefined where it says something else. */
export const preparingOf = ({ detail }: MadangError): number | null | undefined => {
  if (!isRecord(detail) || detail.preparing !== true) return undefined
  return typeof detail.progress === 'number' ? detail.progress : null
}

/** Calls a method of the room; a refusal comes back at once, `unavailable` too. */
export type Call = (method: string, params: unknown) => Promise<unknown>

/** The calls of video in a room. All reject with MadangError. */
export class Signals {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  join(): Promise<Joined> {
    return this.#ask('join', {}, isJoined)
  }

  async connect(transport: string, dtlsParameters: types.DtlsParameters): Promise<void> {
    await this.#call('media.connect', { transport, dtlsParameters })
  }

  async produce(produced: Produced): Promise<TrackId> {
    return (await this.#ask('produce', produced, isProduced)).track
  }

  async mute(track: TrackId, muted: boolean): Promise<void> {
    await this.#call('media.mute', { track, muted })
  }

  async close(track: TrackId): Promise<void> {
    await this.#call('media.close', { track })
  }

  consume(track: TrackId, rtpCapabilities: types.RtpCapabilities): Promise<Consumed> {
    return this.#ask('consume', { track, rtpCapabilities }, isConsumed)
  }

  async resume(consumer: ConsumerId): Promise<void> {
    await this.#call('media.resume', { consumer })
  }

  async suspend(consumer: ConsumerId): Promise<void> {
    await this.#call('media.suspend', { consumer })
  }

  async layers(consumer: ConsumerId, spatial: number): Promise<void> {
    await this.#call('media.layers', { consumer, spatial })
  }

  async restart(transport: string): Promise<types.IceParameters> {
    return (await this.#ask('restart', { transport }, isRestarted)).iceParameters
  }

  stats(): Promise<ServerStats> {
    return this.#ask('stats', {}, isServerStats)
  }

  /** What is newer than `v`; null where nothing is. */
  async state(peer: string, v: number): Promise<PeerState | null> {
    const state = await this.#call('media.state', { peer, v })
    if (isPeerState(state)) return state
    if (isVersion(state)) return null
    throw unexpected('state')
  }

  async leave(): Promise<void> {
    await this.#call('media.leave', {})
  }

  async #ask<T>(method: string, params: unknown, is: (value: unknown) => value is T): Promise<T> {
    const value = await this.#call(`media.${method}`, params)
    if (is(value)) return value
    throw unexpected(method)
  }
}

const unexpected = (method: string): MadangError =>
  new MadangError('internal', `the server answered media.${method} with something else: load the page again`)
