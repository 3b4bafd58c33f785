import type { PlayerId } from '../../protocol/frames.ts'
import type { MadangError } from '../error.ts'
import type { Readable } from '../store.ts'

/** What a member may publish, one track of each. */
export type Source = 'camera' | 'microphone' | 'screen' | 'screen-audio'

/**
 * Where video stands in a room. `preparing`: the server is getting its media worker ready (`progress` 0 to 1, where known);
 * `reconnecting`: it was live, and is mended by itself; `failed`: it was given up, `join` or `publish` tries again.
 */
export type MediaState =
  | { readonly status: 'off' | 'joining' | 'live' | 'reconnecting' }
  | { readonly status: 'preparing'; readonly progress: number | null }
  | { readonly status: 'failed'; readonly error: MadangError }

/** What one sees and hears of a player now. A new object after each change; the MediaStreams stay, and their tracks come and go. */
export interface PlayerStream {
  /** Camera and microphone. */
  readonly stream: MediaStream
  /** Screen and its sound; null while none is shared. */
  readonly screen: MediaStream | null
  /** Whether the camera's picture is there, or will be at once. */
  readonly camera: boolean
  readonly microphone: boolean
  /** What the player muted. */
  readonly muted: ReadonlySet<Source>
  /** How well it arrives; null while there is nothing to judge by. */
  readonly quality: Quality | null
}

export type Quality = 'good' | 'fair' | 'poor'

/** What one publishes of a source. */
export interface OwnTrack {
  readonly track: MediaStreamTrack
  readonly muted: boolean
  /** The rules let nobody see or hear it now: it is not sent, and goes on by itself. */
  readonly unseen: boolean
}

/** Of one track that is sent, since it was published. */
export interface SentStats {
  readonly source: Source
  /** What left this device, by its own count. */
  readonly bytes: number
  /** What came in at the server; null where it did not say. */
  readonly server: {
    readonly bytes: number
    readonly packetsLost: number
    /** 0 to 10. */
    readonly score: number
    /** Bits a second. */
    readonly bitrate: number
  } | null
}

/** Of one track that is or was received, since it was first granted. */
export interface ReceivedStats {
  readonly player: PlayerId
  readonly source: Source
  /** Whether the rules grant it now. */
  readonly granted: boolean
  readonly bytes: number
  readonly packets: number
  readonly packetsLost: number
  /** 0 for sound. */
  readonly framesDecoded: number
  readonly frameWidth: number
  readonly frameHeight: number
  /** Of what was received, since the beginning: grows with loudness; 0 for pictures. */
  readonly audioEnergy: number
  /** By the clock of `connect`: when it was asked for, when it was ready to receive, when media first arrived. */
  readonly timing: { readonly asked: number; readonly ready: number | null; readonly arrived: number | null }
  /** What the server sent; null where it did not say. */
  readonly server: {
    readonly bytes: number
    readonly bitrate: number
    readonly score: number
    readonly paused: boolean
  } | null
}

export interface MediaStats {
  readonly send: readonly SentStats[]
  readonly receive: readonly ReceivedStats[]
}

/**
 * Video and sound of a room, as `room.media`. The rules of the game decide who sees and hears whom: `streams` shows what is granted
 * now. It mends itself: on a network that changed, a media node that died, a page's new connection; what is published stays published.
 *
 * @example
 * const devices = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } })
 * const [camera] = devices.getVideoTracks()
 * await room.media.publish({ camera })
 * room.media.streams.subscribe((streams) => draw(streams))
 */
export interface RoomMedia {
  readonly state: Readable<MediaState>
  /** By player, only whom one may see or hear now and who publishes something. Never oneself. */
  readonly streams: Readable<ReadonlyMap<PlayerId, PlayerStream>>
  /** What one publishes, from `publish` on. What ends by itself, as where a device is unplugged or another tab takes over, goes. */
  readonly mine: Readable<ReadonlyMap<Source, OwnTrack>>
  /** Who speaks now and how loud, 0 to 1. */
  readonly speaking: Readable<ReadonlyMap<PlayerId, number>>
  /** Receives, without publishing. Resolves once it is live, at once where it is; rejects with MadangError where it fails or is left meanwhile. */
  join(): Promise<void>
  /**
   * Publishes these tracks, and joins where that has not been done; a source that is published already goes on with the new track, muted where it was.
   * Resolves once the server has them; rejects with MadangError (`forbidden` for spectators), and those tracks are not published.
   * The tracks stay the caller's: stop them to let go of the device.
   */
  publish(tracks: Partial<Record<Source, MediaStreamTrack | undefined>>): Promise<void>
  unpublish(source: Source): Promise<void>
  /** Silent or dark at once; resolves once the others are told. Before `publish`, it says how that source will begin. */
  mute(source: Source, muted: boolean): Promise<void>
  /**
   * How wide the player's tile is, in CSS pixels times devicePixelRatio; 0: off screen. Chooses the picture's size, and pauses what nobody
   * looks at. What was never shown comes as well as the network can.
   */
  show(player: PlayerId, source: 'camera' | 'screen', width: number): void
  /** What went and came, by this device and by the server. Empty while it is not live. */
  stats(): Promise<MediaStats>
  /** Ends all of it for this page. Publishing again takes `publish`. */
  leave(): Promise<void>
}
