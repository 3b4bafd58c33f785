import type { RtpCapabilities, RtpParameters } from 'mediasoup/types'
import type { Chance, Clock } from '../protocol/clock.ts'
import { Refusal } from '../protocol/errors.ts'
import type { PlayerId, SessionId } from '../protocol/frames.ts'
import type { FarTrack } from './far.ts'
import { CONSUMERS_PER_PEER, PEERS_PER_PLAYER, PEERS_PER_ROOM } from './limits.ts'
import type { OpenLink } from './link.ts'
import { openPeer, type Peer } from './peer.ts'
import { difference, type Grants, grantsOf, type Viewer } from './policy.ts'
import { Reception } from './reception.ts'
import { asked, gone } from './refusals.ts'
import type { Seat } from './seat.ts'
import { Seats } from './seats.ts'
import { KIND_OF, type Source } from './sources.ts'
import { Speaking } from './speaking.ts'
import { Track } from './track.ts'
import type { Workers } from './workers.ts'

/** Browsers drop a key frame that is asked for within 300 ms of the last one: asked again so, the next viewer need not wait for a second. */
const KEY_FRAME_AGAIN_MS = 400

export interface StageOptions {
  workers: Workers
  openLink: OpenLink
  clock: Clock
  chance: Chance
  tell: (peer: Peer, topic: 'media.state' | 'media.speaking' | 'media.moved', data: unknown) => void
  onSpeaker: (player: PlayerId | null) => void
  /** A peer ended, whoever ended it. */
  onEnd: (peer: Peer) => void
  /** What is published here has changed, or what of other nodes is received here. */
  onChange: () => void
  /** How loud those speak who publish here. */
  onLevels: (levels: ReadonlyMap<PlayerId, number>) => void
}

/**
 * Who is on video in one room, what they publish and what they receive. Nothing flows but what `apply` was told last that it
 * may; it stands on a worker while anybody is on it.
 */
export class Stage {
  readonly peers = new Map<string, Peer>()
  /** Of this node and of the room's others. */
  readonly tracks = new Map<string, Track | FarTrack>()
  readonly consumers = new Map<string, Reception>()
  readonly #options: StageOptions
  readonly #seats: Seats
  readonly speaking: Speaking
  #grants: Grants = grantsOf(null)
  #joining = 0
  #isDirty = false

  constructor(options: StageOptions) {
    this.#options = options
    this.speaking = new Speaking({
      clock: options.clock,
      trackOf: (producer) => this.tracks.get(producer),
      onLevels: () => {
        this.#tellLevels()
        options.onLevels(this.speaking.own)
      },
      onSpeaker: options.onSpeaker,
    })
    this.#seats = new Seats({
      workers: options.workers,
      onOpen: ({ levels }) => this.speaking.listen(levels),
      onLost: () => this.move(),
    })
  }

  /** What is published at this node. */
  get published(): Track[] {
    return [...this.tracks.values()].filter((track) => track instanceof Track)
  }

  /** By the id of each track that is received here, or was and may be again: whether it flows to anybody. */
  get received(): ReadonlyMap<string, boolean> {
    const received = new Map<string, boolean>()
    for (const { track, flows } of this.consumers.values()) received.set(track, flows || received.get(track) === true)
    return received
  }

  /** Where pipes to other nodes end; null while nobody is here. Rejects where its worker has ended. */
  seat(): Promise<Seat | null> {
    return this.#seats.first()
  }

  /** Makes what is there what is granted: all requests are with the workers when this returns, what stops first. */
  apply(grants: Grants = this.#grants): void {
    this.#grants = grants
    const to = difference(grants, this)
    for (const id of to.pause) this.#consumer(id).granted = false
    for (const id of to.close) this.#drop(this.#consumer(id))
    for (const id of to.hide) this.#track(id).unseen = true
    for (const id of to.unhide) this.#track(id).unseen = false
    for (const id of to.resume) this.#consumer(id).granted = true
    for (const { peer, track } of to.withdraw) this.peers.get(peer)?.shown.delete(track)
    for (const { peer, track } of to.announce) this.peers.get(peer)?.shown.add(track)
    this.tellStates()
    this.speaking.tell()
    this.#options.onChange()
  }

  /** Has every peer told what has changed for it, at the end of this loop turn. */
  tellStates(): void {
    if (this.#isDirty) return
    this.#isDirty = true
    this.#options.clock.soon(() => {
      this.#isDirty = false
      for (const peer of this.peers.values())
        if (peer.refresh(this.tracks)) this.#options.tell(peer, 'media.state', peer.state)
    })
  }

  /** A new peer. Rejects with Refusal where there is no room or no worker for it. */
  async join(viewer: Viewer, session: SessionId): Promise<Peer> {
    this.#makeRoomFor(viewer)
    this.#joining++
    try {
      const { openLink, chance } = this.#options
      const seat = await this.#seats.next().catch(() => {
        throw gone()
      })
      const id = Buffer.from(chance.bytes(12)).toString('base64url')
      const peer = await openPeer({ id, viewer, session, seat, openLink })
      this.peers.set(peer.id, peer)
      this.apply()
      peer.refresh(this.tracks)
      return peer
    } finally {
      this.#joining--
      this.#leaveIfEmpty()
    }
  }

  /** Ends peers, what they publish and what they receive. */
  end(...peers: readonly Peer[]): void {
    const here = peers.filter(({ id }) => this.peers.delete(id))
    if (here.length === 0) return
    for (const peer of here) {
      for (const track of peer.tracks.values()) this.#forget(track)
      peer.close()
    }
    this.apply()
    for (const peer of here) this.#options.onEnd(peer)
    this.#leaveIfEmpty()
  }

  /** Ends all peers, which are told to join again at once. */
  move(): void {
    for (const peer of this.peers.values()) this.#options.tell(peer, 'media.moved', null)
    this.end(...this.peers.values())
  }

  /** Takes the place of what this player published from this source. Rejects with Refusal. */
  async produce(peer: Peer, source: Source, rtpParameters: RtpParameters, muted: boolean): Promise<Track> {
    const { player } = peer.viewer
    const transport = peer.send?.transport
    if (transport === undefined) throw new Refusal('forbidden', 'spectators publish nothing')
    const kind = KIND_OF[source]
    // Paused until it is known who may receive it.
    const producer = await asked(
      transport.produce({ kind, rtpParameters, paused: true, keyFrameRequestDelay: KEY_FRAME_AGAIN_MS }),
      () => transport.closed,
    )
    if (!this.peers.has(peer.id)) throw gone()
    for (const track of [...this.tracks.values()])
      if (track instanceof Track && track.player === player && track.source === source) this.#forget(track)
    const unseen = !this.#grants.isSeen({ player, kind })
    const track = new Track({ producer, source, player, peer: peer.id, seat: peer.seat, muted, unseen })
    this.tracks.set(track.id, track)
    peer.tracks.set(source, track)
    if (source === 'microphone') peer.seat.levels.addProducer({ producerId: track.id }).catch(() => {})
    this.apply()
    return track
  }

  mute(track: Track, muted: boolean): void {
    track.muted = muted
    this.tellStates()
    this.#options.onChange()
  }

  unpublish(track: Track): void {
    this.#forget(track)
    this.apply()
  }

  /** What this peer receives of a track from now on, paused; what it has of it already. Rejects with Refusal. */
  async consume(
    peer: Peer,
    id: string,
    rtpCapabilities: RtpCapabilities,
  ): Promise<{ track: Track | FarTrack; reception: Reception }> {
    const track = this.#granted(peer, id)
    const known = peer.receptionOf(id)
    if (known !== null) return { track, reception: known }
    this.#makeRoomToReceive(peer)
    const { transport } = peer.receive
    const isGone = () => transport.closed || track.isClosed
    const options = { producerId: id, rtpCapabilities, paused: true }
    const consumer = await asked(
      track.at(peer.seat, () => transport.consume(options)),
      isGone,
    )
    if (!this.peers.has(peer.id)) throw gone()
    try {
      // The policy may have changed meanwhile.
      this.#granted(peer, id)
    } catch (error) {
      consumer.close()
      throw error
    }
    const reception = new Reception(consumer, peer.id, peer.seat.worker)
    this.consumers.set(reception.id, reception)
    peer.receptions.set(reception.id, reception)
    reception.granted = true
    this.#options.onChange()
    return { track, reception }
  }

  /** Whether this peer wants what it receives by this id: of a consumer that has ended it may say so too. */
  want(peer: Peer, consumer: string, wanted: boolean): void {
    const reception = peer.receptions.get(consumer)
    if (reception === undefined) return
    reception.wanted = wanted
    this.#options.onChange()
  }

  /** The track where this peer may receive it now; nothing tells one that it may not receive from one that is not there. */
  #granted(peer: Peer, id: string): Track | FarTrack {
    const track = this.tracks.get(id)
    if (track === undefined || !this.#grants.may(peer.viewer, track))
      throw new Refusal('forbidden', 'no such track, or none that you may receive now')
    return track
  }

  #makeRoomFor({ player }: Viewer): void {
    const own = [...this.peers.values()].filter(({ viewer }) => viewer.player === player)
    const silent = own.reduce<Peer | null>((most, peer) => (peer.silentMs > (most?.silentMs ?? -1) ? peer : most), null)
    if (own.length >= PEERS_PER_PLAYER && silent !== null) this.end(silent)
    if (this.peers.size + this.#joining >= PEERS_PER_ROOM)
      throw new Refusal('room_full', `no more than ${PEERS_PER_ROOM} can be on video in a room`)
  }

  #makeRoomToReceive(peer: Peer): void {
    if (peer.receptions.size < CONSUMERS_PER_PEER) return
    const idle = [...peer.receptions.values()].find(({ granted }) => !granted)
    if (idle === undefined)
      throw new Refusal('conflict', `no more than ${CONSUMERS_PER_PEER} tracks can be received at once`)
    this.#drop(idle)
  }

  #leaveIfEmpty(): void {
    if (this.peers.size > 0 || this.#joining > 0) return
    this.#seats.close()
    this.speaking.clear()
  }

  #tellLevels(): void {
    const levels = [...this.speaking.levels]
    for (const peer of this.peers.values()) {
      const players = Object.fromEntries(
        levels.filter(([player]) => this.#grants.may(peer.viewer, { player, kind: 'audio' })),
      )
      if (peer.hears(players)) this.#options.tell(peer, 'media.speaking', { players })
    }
  }

  #consumer(id: string): Reception {
    const reception = this.consumers.get(id)
    if (reception === undefined) throw new Error(`no consumer ${id}`)
    return reception
  }

  #track(id: string): Track | FarTrack {
    const track = this.tracks.get(id)
    if (track === undefined) throw new Error(`no track ${id}`)
    return track
  }

  #drop(reception: Reception): void {
    this.consumers.delete(reception.id)
    this.peers.get(reception.peer)?.receptions.delete(reception.id)
    reception.close(!this.tracks.has(reception.track))
  }

  #forget(track: Track): void {
    this.tracks.delete(track.id)
    this.peers.get(track.peer)?.tracks.delete(track.source)
    track.close()
  }
}
