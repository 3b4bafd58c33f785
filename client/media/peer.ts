import type { Network } from '../environment.ts'
import type { MadangError } from '../error.ts'
import { asMadangError } from './failure.ts'
import { type Line, refusalOf } from './line.ts'
import { Paths } from './paths.ts'
import type { Publications } from './publications.ts'
import type { Connectivity, RtcPeer } from './rtc.ts'
import type { Direction, Joined, PeerState, Signals } from './signals.ts'
import type { Streams } from './streams.ts'
import { Subscriptions } from './subscriptions.ts'
import type { Tiles } from './tiles.ts'
import type { MediaStats } from './types.ts'

export interface PeerParts extends Pick<Line, 'clock' | 'chance' | 'signals'> {
  readonly network: Network
  readonly publications: Publications
  readonly streams: Streams
  readonly tiles: Tiles
  /** Ms between two signs of life. */
  pulse(): number
}

export interface PeerListener {
  /** Its paths broke, or are whole again. */
  changed(): void
  /** Another peer must take its place. */
  lost(): void
  /** The server will not have this member's video any more. */
  refused(error: MadangError): void
}

/** This session's peer at the media node, from one join to its end. The newest state counts; that of another peer does not. */
export class Peer implements Line {
  readonly clock: Line['clock']
  readonly chance: Line['chance']
  readonly signals: Signals
  readonly #parts: PeerParts
  readonly #on: PeerListener
  readonly #id: string
  readonly #rtc: RtcPeer
  readonly #subscriptions: Subscriptions
  readonly #paths: Paths
  #v = Number.NEGATIVE_INFINITY
  #live = true
  #asking = false
  #cancelPulse: () => void = () => {}

  constructor(joined: Joined, rtc: RtcPeer, parts: PeerParts, on: PeerListener) {
    this.clock = parts.clock
    this.chance = parts.chance
    this.signals = parts.signals
    this.#parts = parts
    this.#on = on
    this.#id = joined.peer
    this.#rtc = rtc
    this.#subscriptions = new Subscriptions(this, parts.streams, parts.tiles)
    this.#paths = new Paths(this, parts.network, { changed: () => on.changed(), lost: () => on.lost() })
    parts.publications.attach(this)
    this.take(joined.state)
    this.#rest()
  }

  get rtc(): RtcPeer {
    return this.#rtc
  }

  get live(): boolean {
    return this.#live
  }

  get sends(): boolean {
    return this.#rtc.ids.send !== null
  }

  /** Whether its paths are as they should be. */
  get whole(): boolean {
    return this.#paths.whole
  }

  take(state: PeerState): void {
    if (!this.#live || state.peer !== this.#id || state.v <= this.#v) return
    this.#v = state.v
    this.#subscriptions.take(state)
    this.#parts.publications.take(state)
  }

  /** The page shows the others differently. */
  look(): void {
    this.#subscriptions.look()
  }

  path(direction: Direction, connectivity: Connectivity): void {
    if (this.#live) this.#paths.changed(direction, connectivity)
  }

  doubt(): void {
    if (!this.#asking) void this.#ask()
  }

  async stats(): Promise<MediaStats> {
    const server = await this.signals.stats().catch(() => null)
    const [send, receive] = await Promise.all([
      this.#parts.publications.stats(server),
      this.#subscriptions.stats(server),
    ])
    return { send, receive }
  }

  /** Ends it here; the server is not told. */
  close(): void {
    if (!this.#live) return
    this.#live = false
    this.#cancelPulse()
    this.#paths.close()
    this.#parts.publications.attach(null)
    this.#subscriptions.close()
    this.#rtc.close()
  }

  /** Says that it lives, and hears what it missed. */
  async #ask(): Promise<void> {
    this.#asking = true
    this.#cancelPulse()
    try {
      const state = await this.signals.state(this.#id, this.#v)
      if (state) this.take(state)
    } catch (error) {
      const refused = asMadangError(error)
      const refusal = refusalOf(refused)
      if (this.#live && refusal === 'doubt') this.#on.lost()
      else if (this.#live && refusal === 'final' && refused.code !== 'internal') this.#on.refused(refused)
    }
    this.#asking = false
    if (this.#live) this.#rest()
  }

  #rest(): void {
    this.#cancelPulse = this.clock.after(this.#parts.pulse(), () => void this.#ask())
  }
}
