import type { PlayerId, SessionId } from '../protocol/frames.ts'
import type { FarTrack } from './far.ts'
import type { Direction, Link, OpenLink } from './link.ts'
import type { Viewer } from './policy.ts'
import type { Reception } from './reception.ts'
import { gone } from './refusals.ts'
import type { Seat } from './seat.ts'
import type { MediaKind, Source } from './sources.ts'
import type { Track } from './track.ts'

/** All that a peer may know of its room. */
export interface PeerState {
  peer: string
  /** Rises whenever the rest changes. */
  v: number
  tracks: { track: string; player: PlayerId; source: Source; kind: MediaKind; muted: boolean }[]
  mine: { track: string; source: Source; muted: boolean; unseen: boolean }[]
}

export interface PeerOptions {
  id: string
  viewer: Viewer
  session: SessionId
  seat: Seat
  /** Null for spectators. */
  send: Link | null
  receive: Link
}

/** One session of one member in one room. */
export class Peer {
  readonly id: string
  readonly session: SessionId
  readonly viewer: Viewer
  readonly seat: Seat
  readonly send: Link | null
  readonly receive: Link
  readonly tracks = new Map<Source, Track>()
  readonly receptions = new Map<string, Reception>()
  /** Tracks of others that it knows, by id. */
  readonly shown = new Set<string>()
  /** How long no call came. */
  silentMs = 0
  /** Samples in a row in which it sent too much. */
  over = 0
  bitrate = { in: 0, out: 0 }
  #known: Pick<PeerState, 'tracks' | 'mine'> = { tracks: [], mine: [] }
  #text = ''
  #levels = '{}'
  #v = 0

  constructor({ id, viewer, session, seat, send, receive }: PeerOptions) {
    this.id = id
    this.session = session
    this.viewer = viewer
    this.seat = seat
    this.send = send
    this.receive = receive
  }

  get state(): PeerState {
    return { peer: this.id, v: this.#v, ...this.#known }
  }

  /** Whether what it may know has changed since this was asked last. */
  refresh(tracks: ReadonlyMap<string, Track | FarTrack>): boolean {
    const known = {
      tracks: [...this.shown].flatMap((id) => {
        const track = tracks.get(id)
        if (track === undefined) return []
        const { player, source, kind, muted } = track
        return [{ track: id, player, source, kind, muted }]
      }),
      mine: [...this.tracks.values()].map(({ id, source, muted, unseen }) => ({ track: id, source, muted, unseen })),
    }
    const text = JSON.stringify(known)
    if (text === this.#text) return false
    this.#known = known
    this.#text = text
    this.#v++
    return true
  }

  /** Whether this is not what it heard last: how loud each of those speaks whom it may hear. */
  hears(levels: Readonly<Record<PlayerId, number>>): boolean {
    const text = JSON.stringify(levels)
    if (text === this.#levels) return false
    this.#levels = text
    return true
  }

  linkOf(transport: string): Link | null {
    return [this.send, this.receive].find((link) => link?.offer.id === transport) ?? null
  }

  ownTrack(id: string): Track | null {
    return [...this.tracks.values()].find((track) => track.id === id) ?? null
  }

  /** What it receives of a track, or received. */
  receptionOf(track: string): Reception | null {
    return [...this.receptions.values()].find((reception) => reception.track === track) ?? null
  }

  close(): void {
    this.send?.transport.close()
    this.receive.transport.close()
  }
}

type NewPeer = Pick<PeerOptions, 'id' | 'viewer' | 'session' | 'seat'> & { openLink: OpenLink }

/** A peer at this seat, with a way in and, for players, a way out. Rejects with Refusal where the worker has ended. */
export const openPeer = async ({ openLink, ...peer }: NewPeer): Promise<Peer> => {
  const { worker, router } = peer.seat
  const open = (direction: Direction) => openLink(router, worker.server, direction)
  const links = await Promise.allSettled([
    open('receive'),
    peer.viewer.role === 'player' ? open('send') : Promise.resolve(null),
  ])
  const [receive, send] = links
  if (receive.status === 'fulfilled' && send.status === 'fulfilled' && !worker.isGone)
    return new Peer({ ...peer, receive: receive.value, send: send.value })
  for (const link of links) if (link.status === 'fulfilled') link.value?.transport.close()
  throw gone()
}
