import { MadangError } from '../error.ts'
import type { Store } from '../store.ts'
import type { Line } from './line.ts'
import { Publication } from './publication.ts'
import type { PeerState, ServerStats } from './signals.ts'
import type { OwnTrack, SentStats, Source } from './types.ts'

/** All that this page publishes, whichever peer it is that carries it. */
export class Publications {
  readonly #store: Store<ReadonlyMap<Source, OwnTrack>>
  readonly #bySource = new Map<Source, Publication>()
  /** Holds for what is published later as well. */
  readonly #muted = new Set<Source>()
  #line: Line | null = null

  constructor(store: Store<ReadonlyMap<Source, OwnTrack>>) {
    this.#store = store
  }

  /** Resolves once the server has it. Rejects with MadangError where the track is no such source, or the server refuses. */
  publish(source: Source, track: MediaStreamTrack): Promise<void> {
    const publication = this.#bySource.get(source) ?? this.#add(source, track)
    track.addEventListener('ended', () => {
      if (publication.track === track) void this.unpublish(source, publication)
    })
    const published = publication.replace(track)
    this.#show()
    return published
  }

  async unpublish(source: Source, publication = this.#bySource.get(source)): Promise<void> {
    if (!publication) return
    this.#remove(publication)
    await publication.end(new MadangError('conflict', `${source} is not published any more`))
  }

  async mute(source: Source, muted: boolean): Promise<void> {
    if (muted) this.#muted.add(source)
    else this.#muted.delete(source)
    await this.#bySource.get(source)?.mute(muted)
  }

  attach(line: Line | null): void {
    this.#line = line
    for (const publication of [...this.#bySource.values()]) publication.attach(line)
    this.#show()
  }

  take(state: PeerState): void {
    for (const publication of [...this.#bySource.values()]) publication.take(state)
    this.#show()
  }

  async stats(server: ServerStats | null): Promise<SentStats[]> {
    const all = await Promise.all([...this.#bySource.values()].map(async (each) => ({ each, sent: await each.sent() })))
    return all.flatMap(({ each: { source }, sent }): SentStats[] => {
      if (sent === null) return []
      const there = server?.send.find(({ track }) => track === sent.id)
      if (!there) return [{ source, bytes: sent.bytes, server: null }]
      const { bytes, packetsLost, score, bitrate } = there
      return [{ source, bytes: sent.bytes, server: { bytes, packetsLost, score, bitrate } }]
    })
  }

  /** Nothing is published any more; the server is not told. */
  end(error: MadangError): void {
    this.#line = null
    for (const publication of [...this.#bySource.values()]) {
      publication.attach(null)
      void publication.end(error)
    }
    this.#bySource.clear()
    this.#show()
  }

  #add(source: Source, track: MediaStreamTrack): Publication {
    const publication: Publication = new Publication(source, track, this.#muted.has(source), {
      changed: () => this.#show(),
      over: () => this.#remove(publication),
    })
    this.#bySource.set(source, publication)
    publication.attach(this.#line)
    return publication
  }

  #remove(publication: Publication): void {
    if (this.#bySource.get(publication.source) === publication) this.#bySource.delete(publication.source)
    this.#show()
  }

  #show(): void {
    const before = this.#store.current
    const shown = new Map<Source, OwnTrack>()
    for (const [source, { track, muted, unseen }] of this.#bySource) {
      const was = before.get(source)
      const isSame = was && was.track === track && was.muted === muted && was.unseen === unseen
      shown.set(source, isSame ? was : { track, muted, unseen })
    }
    if (shown.size !== before.size || [...shown].some(([source, own]) => before.get(source) !== own))
      this.#store.set(shown)
  }
}
