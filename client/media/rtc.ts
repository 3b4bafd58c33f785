import type { types } from 'mediasoup-client'
import type { Consumed, Direction, Joined, Produced, TrackId } from './signals.ts'
import type { Source } from './types.ts'

/** WebRTC as a peer needs it: mediasoup-client in browsers, a simple stand-in in tests. */
export interface Rtc {
  /** An empty one. */
  stream(): MediaStream
  /** This device's ends of the transports of a peer. Rejects where the browser cannot. */
  open(joined: Joined, listener: RtcListener): Promise<RtcPeer>
}

export type Connectivity = 'connecting' | 'connected' | 'disconnected' | 'failed'

/** What a peer's WebRTC asks of who opened it. Nothing more after its `close`. */
export interface RtcListener {
  /** The server must know this before media flows; rejects where it cannot. */
  connect(transport: string, dtlsParameters: types.DtlsParameters): Promise<void>
  /** Resolves with the server's id of the track. */
  produce(produced: Produced): Promise<TrackId>
  changed(direction: Direction, connectivity: Connectivity): void
}

export interface RtcPeer {
  /** What this device can receive. */
  readonly capabilities: types.RtpCapabilities
  /** Null where it may not send. */
  readonly ids: { readonly send: string | null; readonly receive: string }
  /** Sends the track; its owner keeps it. Rejects with what `produce` rejected with. */
  send(source: Source, track: MediaStreamTrack, muted: boolean): Promise<Sender>
  /** `stream`: tracks of the same one are played in step. */
  receive(consumed: Consumed, stream: string): Promise<Receiver>
  restart(direction: Direction, iceParameters: types.IceParameters): Promise<void>
  close(): void
}

export interface Sender {
  readonly id: TrackId
  readonly track: MediaStreamTrack
  replace(track: MediaStreamTrack): Promise<void>
  /** While false, no packet leaves. */
  flow(on: boolean): void
  /** Bytes sent. */
  bytes(): Promise<number>
  close(): void
}

export interface Receiver {
  readonly track: MediaStreamTrack
  /** Null while nothing arrived. */
  count(): Promise<ReceiverCount | null>
  close(): void
}

/** Of what was received, since the beginning. What does not apply is 0. */
export interface ReceiverCount {
  readonly bytes: number
  readonly packets: number
  readonly packetsLost: number
  readonly framesDecoded: number
  readonly frameWidth: number
  readonly frameHeight: number
  /** Seconds of standing pictures. */
  readonly frozen: number
  readonly audioEnergy: number
}
