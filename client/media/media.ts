import { backoff } from '../backoff.ts'
import type { SessionState } from '../connection.ts'
import type { Environment } from '../environment.ts'
import { MadangError } from '../error.ts'
import type { TransportName } from '../link.ts'
import type { Readable } from '../store.ts'
import type { MediaStores } from './door.ts'
import { asMadangError } from './failure.ts'
import { refusalOf } from './line.ts'
import { Peer, type PeerParts } from './peer.ts'
import { Publications } from './publications.ts'
import type { Rtc } from './rtc.ts'
import { type Call, isPeerState, preparingOf, Signals, speakingOf } from './signals.ts'
import { sourcesOf } from './sources.ts'
import { Speaking } from './speaking.ts'
import { Streams } from './streams.ts'
import { Tiles } from './tiles.ts'
import type { MediaStats, RoomMedia, Source } from './types.ts'

const PULSE_MS = 5_000
/** Where nothing is pushed, as often as polls are. */
const POLLED_PULSE_MS = 1_000
const JOIN_CAP_MS = 5_000
const PREPARING_MS = 2_000
/** A peer that lived for so long is followed by another one at once, not after a wait. */
const STEADY_MS = 10_000
/** So long a first join without any media node is tried; one that was live before is tried for ever. */
const GIVE_UP_MS = 30_000

/** What video needs of its room and session. */
export interface MediaGround extends Pick<Environment, 'clock' | 'chance' | 'network'> {
  readonly call: Call
  readonly session: Readable<SessionState>
  readonly transport: Readable<TransportName | null>
  /** Whether the member may publish by its role. */
  plays(): boolean
  onNote(listener: (note: { readonly topic: string; readonly data: unknown }) => void): () => void
}

interface Waiter {
  resolve(): void
  reject(error: MadangError): void
}

/**
 * Video of a room while it is used: keeps a peer at a media node for as long as it is wanted, and what is published and shown across peers.
 * There is one attempt to join at most; what an older one brings is thrown away (`#attempt` counts them).
 */
export class Media {
  readonly #ground: MediaGround
  readonly #rtc: Rtc
  readonly #stores: MediaStores
  readonly #signals: Signals
  readonly #publications: Publications
  readonly #streams: Streams
  readonly #tiles: Tiles
  readonly #speaking: Speaking
  readonly #unwatch: (() => void)[]
  readonly #waiters: Waiter[] = []
  #peer: Peer | null = null
  #bornAt = 0
  #wanted = false
  #wasLive = false
  #since = 0
  #attempt = 0
  #retries = 0
  /** For the time of the next attempt. */
  #waits = false
  #cancelRetry: () => void = () => {}
  /** The join or leave that the server hears now: one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(ground: MediaGround, rtc: Rtc, stores: MediaStores) {
    this.#ground = ground
    this.#rtc = rtc
    this.#stores = stores
    this.#signals = new Signals(ground.call)
    this.#publications = new Publications(stores.mine)
    this.#streams = new Streams(stores.streams, () => rtc.stream())
    this.#speaking = new Speaking(ground.clock, stores.speaking)
    this.#tiles = new Tiles(ground.clock, () => this.#peer?.look())
    this.#unwatch = [
      ground.onNote((note) => this.#note(note)),
      ground.session.subscribe(({ status }) => {
        if (status === 'online') this.#peer?.doubt()
      }),
    ]
  }

  async join(): Promise<void> {
    if (this.#peer) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiters.push({ resolve, reject })
    if (!this.#wanted) this.#begin()
    return promise
  }

  async publish(given: Parameters<RoomMedia['publish']>[0]): Promise<void> {
    const tracks = sourcesOf(given)
    const published = Promise.all(tracks.map(([source, track]) => this.#publications.publish(source, track)))
    // Where the join fails, it tells why.
    published.catch(() => {})
    // Who was a spectator when it joined has a new peer as a player.
    if (this.#peer && !this.#peer.sends && this.#ground.plays()) this.#again()
    await this.join()
    if (this.#peer && !this.#peer.sends) {
      const error = new MadangError('forbidden', 'spectators publish nothing: join the room as a player')
      await Promise.allSettled(tracks.map(([source]) => this.#publications.unpublish(source)))
      throw error
    }
    await published
  }

  unpublish(source: Source): Promise<void> {
    return this.#publications.unpublish(source)
  }

  mute(source: Source, muted: boolean): Promise<void> {
    return this.#publications.mute(source, muted)
  }

  show(...tile: Parameters<Tiles['show']>): void {
    this.#tiles.show(...tile)
  }

  stats(): Promise<MediaStats> {
    return this.#peer?.stats() ?? Promise.resolve({ send: [], receive: [] })
  }

  /** Resolves once the server was told, or could not be. */
  async leave(): Promise<void> {
    if (!this.#wanted) return
    this.#stop(new MadangError('conflict', 'video was left'))
    this.#stores.state.set({ status: 'off' })
    this.#last = this.#last.then(() => this.#signals.leave()).catch(() => {})
    await this.#last
  }

  /** The room is over, and video with it. */
  close(error: MadangError): void {
    this.#stop(error)
    this.#tiles.close()
    for (const unwatch of this.#unwatch) unwatch()
    this.#stores.state.set({ status: 'off' })
  }

  #begin(): void {
    this.#wanted = true
    this.#wasLive = false
    this.#since = this.#ground.clock.now()
    this.#retries = 0
    this.#stores.state.set({ status: 'joining' })
    void this.#join()
  }

  async #join(): Promise<void> {
    const attempt = ++this.#attempt
    const isOld = (): boolean => attempt !== this.#attempt
    this.#cancelRetry()
    this.#waits = false
    try {
      const joining = this.#last.then(() => (isOld() ? null : this.#signals.join()))
      this.#last = joining.catch(() => {})
      const joined = await joining
      if (joined === null || isOld()) return
      let peer: Peer | null = null
      const rtc = await this.#rtc.open(joined, {
        connect: (transport, dtlsParameters) => this.#signals.connect(transport, dtlsParameters),
        produce: (produced) => this.#signals.produce(produced),
        changed: (direction, connectivity) => peer?.path(direction, connectivity),
      })
      if (isOld()) return rtc.close()
      peer = new Peer(joined, rtc, this.#parts(), {
        changed: () => this.#say(),
        lost: () => this.#again(),
        refused: (error) => this.#fail(error),
      })
      // Whoever watches the streams may have left.
      if (isOld()) return peer.close()
      this.#peer = peer
      this.#bornAt = this.#ground.clock.now()
      this.#wasLive = true
      this.#say()
      for (const { resolve } of this.#waiters.splice(0)) resolve()
    } catch (error) {
      if (!isOld()) this.#notJoined(asMadangError(error))
    }
  }

  #parts(): PeerParts {
    return {
      ...this.#ground,
      signals: this.#signals,
      publications: this.#publications,
      streams: this.#streams,
      tiles: this.#tiles,
      pulse: () => (this.#ground.transport.current === 'poll' ? POLLED_PULSE_MS : PULSE_MS),
    }
  }

  #notJoined(error: MadangError): void {
    const { clock, chance } = this.#ground
    const progress = preparingOf(error)
    if (progress !== undefined) {
      this.#since = clock.now()
      this.#stores.state.set({ status: 'preparing', progress })
      this.#later(PREPARING_MS)
      return
    }
    const isHopeless = !this.#wasLive && clock.now() - this.#since >= GIVE_UP_MS
    // What broke within the server or the browser may not be so the next time; who never was live is told.
    const isFinal = refusalOf(error) === 'final' && !(this.#wasLive && error.code === 'internal')
    if (isFinal || isHopeless) {
      this.#fail(error)
      return
    }
    this.#say()
    this.#later(error.retryAfter + backoff(this.#retries++, chance, JOIN_CAP_MS))
  }

  #later(ms: number): void {
    this.#cancelRetry()
    this.#waits = true
    this.#cancelRetry = this.#ground.clock.after(ms, () => void this.#join())
  }

  /** Another peer takes the place of this one: at once, unless the last one did not last. */
  #again(): void {
    if (!this.#wanted) return
    const wasSteady = this.#peer !== null && this.#ground.clock.now() - this.#bornAt >= STEADY_MS
    this.#drop()
    this.#say()
    if (wasSteady) this.#retries = 0
    if (this.#retries++ === 0) void this.#join()
    else this.#later(backoff(this.#retries, this.#ground.chance, JOIN_CAP_MS))
  }

  #fail(error: MadangError): void {
    this.#stop(error)
    this.#stores.state.set({ status: 'failed', error })
  }

  #stop(error: MadangError): void {
    this.#attempt++
    this.#wanted = this.#waits = false
    this.#cancelRetry()
    this.#publications.end(error)
    this.#drop()
    for (const { reject } of this.#waiters.splice(0)) reject(error)
  }

  #drop(): void {
    this.#attempt++
    this.#peer?.close()
    this.#peer = null
    this.#speaking.hear(null)
  }

  #say(): void {
    const isLive = this.#peer?.whole ?? false
    const status = isLive ? 'live' : this.#wasLive ? 'reconnecting' : 'joining'
    if (this.#stores.state.current.status !== status) this.#stores.state.set({ status })
  }

  #note({ topic, data }: { readonly topic: string; readonly data: unknown }): void {
    if (!this.#wanted) return
    if (topic === 'media.state' && isPeerState(data)) this.#peer?.take(data)
    if (topic === 'media.moved') {
      if (this.#peer) this.#again()
      else if (this.#waits) void this.#join()
    }
    if (topic === 'media.speaking' && this.#peer) this.#speaking.hear(speakingOf(data))
  }
}
