import { Limit } from './limit.ts'
import type { Line } from './line.ts'
import type { PeerState, RemoteTrack, ServerStats, TrackId } from './signals.ts'
import type { Streams } from './streams.ts'
import { Subscription } from './subscription.ts'
import type { Tiles } from './tiles.ts'
import type { ReceivedStats } from './types.ts'

/** Tracks that are set up at the same time. */
const AT_ONCE = 6
const JUDGE_MS = 3_000

/** All that one peer receives. Keeps at most one track of each source and player, granted or not. */
export class Subscriptions {
  readonly #line: Line
  readonly #streams: Streams
  readonly #tiles: Tiles
  readonly #limit = new Limit(AT_ONCE)
  readonly #byTrack = new Map<TrackId, Subscription>()
  #cancelJudge: () => void

  constructor(line: Line, streams: Streams, tiles: Tiles) {
    this.#line = line
    this.#streams = streams
    this.#tiles = tiles
    this.#cancelJudge = line.clock.after(JUDGE_MS, () => void this.#judge())
  }

  /** What may be seen and heard now: the rest is gone from the page when this returns. */
  take({ tracks }: PeerState): void {
    const granted = new Map(tracks.map((track) => [track.track, track]))
    for (const [id, subscription] of this.#byTrack) {
      if (!granted.has(id)) subscription.grant(null)
    }
    // Sound first: it is small, and missed more.
    for (const track of [...tracks].sort((a, b) => a.kind.localeCompare(b.kind))) {
      const known = this.#byTrack.get(track.track)
      if (known) known.grant(track)
      else this.#add(track)
    }
    this.#show()
  }

  /** The page shows these differently. */
  look(): void {
    for (const subscription of this.#byTrack.values()) subscription.sync()
  }

  async stats(server: ServerStats | null): Promise<ReceivedStats[]> {
    const all = await Promise.all([...this.#byTrack.values()].map((subscription) => subscription.stats()))
    return all.map(({ consumer, ...stats }) => {
      const there = server?.receive.find((each) => each.consumer === consumer)
      if (!there) return stats
      const { bytes, bitrate, score, paused } = there
      return { ...stats, server: { bytes, bitrate, score, paused } }
    })
  }

  close(): void {
    this.#cancelJudge()
    for (const subscription of this.#byTrack.values()) subscription.close()
    this.#streams.show([])
  }

  #add(track: RemoteTrack): void {
    for (const [id, old] of this.#byTrack) {
      if (old.track.player !== track.player || old.track.source !== track.source) continue
      old.close()
      this.#byTrack.delete(id)
    }
    const subscription = new Subscription(track, this.#line, this.#limit, this.#tiles, () => this.#show())
    this.#byTrack.set(track.track, subscription)
    subscription.sync()
  }

  #show(): void {
    if (this.#line.live) this.#streams.show([...this.#byTrack.values()].flatMap(({ shown }) => shown ?? []))
  }

  async #judge(): Promise<void> {
    await Promise.all([...this.#byTrack.values()].map((subscription) => subscription.judge().catch(() => {})))
    if (!this.#line.live) return
    this.#show()
    this.#cancelJudge = this.#line.clock.after(JUDGE_MS, () => void this.#judge())
  }
}
