import { connect, type Role, type Room, type Session } from '../../client/client.ts'
import { Intruder } from './intruder.ts'

// Runs in a browser, one of these in each frame: a player with a camera that is tiny and a microphone that beeps.

/** What arrived of one player's sound or picture, by this browser's own count, over all connections that there were. */
export interface Arrived {
  readonly player: string
  readonly kind: 'audio' | 'video'
  readonly bytes: number
  /** 0 for sound. */
  readonly frames: number
  /** When the last packet came, ms since the epoch; 0: none. */
  readonly last: number
}

/** What one member receives, by each end's own count; totals since the beginning. */
export interface Received {
  /** By player and kind. */
  readonly arrived: readonly Arrived[]
  /** Bytes of all that came over the network on the connections for receiving, whatever it was. */
  readonly total: number
  /** What the page is given to show. */
  readonly shown: readonly { readonly player: string; readonly camera: boolean; readonly microphone: boolean }[]
}

/** What a page does to ICE: only TCP, or only relays. */
export type Paths = 'all' | 'tcp' | 'relay'

const connections: RTCPeerConnection[] = []
let paths: Paths = 'all'

/** Every connection of this frame is known, and takes only the paths that it may. */
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration: RTCConfiguration = {}) {
    super(paths === 'relay' ? { ...configuration, iceTransportPolicy: 'relay' } : configuration)
    connections.push(this)
  }

  override setRemoteDescription({ type, sdp = '' }: RTCSessionDescriptionInit): Promise<void> {
    const kept = paths === 'tcp' ? sdp.replace(/^a=candidate:\S+ \d+ udp .*\r\n/gim, '') : sdp
    return super.setRemoteDescription({ type, sdp: kept })
  }
}

const isOpen = ({ signalingState }: RTCPeerConnection): boolean => signalingState !== 'closed'
const isReceiving = (connection: RTCPeerConnection): boolean =>
  isOpen(connection) && connection.getSenders().every(({ track }) => track === null)

class Seat {
  #session: Session | null = null
  #room: Room | null = null
  #intruder: Intruder | null = null
  /** Whose a track is, by its id: remembered when it is not shown any more. */
  readonly #players = new Map<string, string>()

  get session(): Session {
    if (this.#session === null) throw new Error('nobody sits here')
    return this.#session
  }

  get room(): Room {
    if (this.#room === null) throw new Error('not in a room')
    return this.#room
  }

  /** Resolves with the player's id. */
  async sit(url: string, guest: string): Promise<string> {
    this.#session = connect({ url, guest, deadline: 60_000 })
    await this.#session.ready
    return this.#session.player?.id ?? ''
  }

  async enter(room: string, role?: Role): Promise<void> {
    this.#room = await this.session.join(room, role && { role })
    this.#room.media.streams.subscribe((streams) => {
      for (const [player, { stream }] of streams)
        for (const track of stream.getTracks()) this.#players.set(track.id, player)
    })
  }

  limit(to: Paths): void {
    paths = to
  }

  async publish(): Promise<void> {
    const video = { width: 80, height: 60, frameRate: 10 }
    const devices = await navigator.mediaDevices.getUserMedia({ audio: true, video })
    await this.room.media.publish({ camera: devices.getVideoTracks()[0], microphone: devices.getAudioTracks()[0] })
  }

  /** Another client of the same player, in place of `room.media`. */
  get intruder(): Intruder {
    this.#intruder ??= new Intruder(this.room)
    return this.#intruder
  }

  /** How many connections there were so far. */
  get connections(): number {
    return connections.length
  }

  /** Everything that arrived on the connections from the `since`th on. */
  async arrived(since = 0): Promise<Arrived[]> {
    const all: Arrived[] = []
    for (const connection of connections.slice(since).filter(isOpen)) {
      for (const stats of (await connection.getStats()).values()) {
        // What mediasoup probes the bandwidth with is nobody's.
        if (stats.type !== 'inbound-rtp' || stats.mid === 'probator') continue
        all.push({
          player: this.#players.get(stats.trackIdentifier) ?? `nobody: ${stats.trackIdentifier}`,
          kind: stats.kind,
          bytes: stats.bytesReceived,
          frames: stats.framesDecoded ?? 0,
          last: stats.lastPacketReceivedTimestamp ?? 0,
        })
      }
    }
    return all
  }

  async received(): Promise<Received> {
    const { media } = this.room
    let total = 0
    for (const connection of connections.filter(isReceiving))
      for (const stats of (await connection.getStats()).values())
        if (stats.type === 'transport') total += stats.bytesReceived
    return {
      arrived: await this.arrived(),
      total,
      shown: [...media.streams.current].map(([player, { camera, microphone }]) => ({ player, camera, microphone })),
    }
  }

  /** When the first frame of this player was decoded on a connection from the `since`th on, ms since the epoch. Rejects after a minute. */
  async firstFrame(player: string, since: number): Promise<number> {
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
      const all = await this.arrived(since)
      if (all.some(({ player: of, frames }) => of === player && frames > 0)) return Date.now()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`no frame of ${player} in a minute`)
  }

  /** The paths that are in use: their protocols, and the kinds of the far ends. */
  async pathsInUse(): Promise<{ protocol: string; near: string; far: string; ufrag: string }[]> {
    const found = []
    for (const connection of connections.filter(({ connectionState }) => connectionState === 'connected')) {
      const report = await connection.getStats()
      const transport = [...report.values()].find(({ type }) => type === 'transport')
      const pair = report.get(transport?.selectedCandidatePairId)
      const [near, far] = [report.get(pair?.localCandidateId), report.get(pair?.remoteCandidateId)]
      const ufrag = /^a=ice-ufrag:(\S+)/m.exec(connection.remoteDescription?.sdp ?? '')?.[1] ?? ''
      found.push({
        protocol: far?.protocol ?? '',
        near: near?.candidateType ?? '',
        far: far?.candidateType ?? '',
        ufrag,
      })
    }
    return found
  }
}

declare global {
  var seat: Seat
}
globalThis.seat = new Seat()
