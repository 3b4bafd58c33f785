import type { Clock } from '../../protocol/clock.ts'
import { MadangError } from '../error.ts'
import type { Call, PeerState, RemoteTrack } from '../media/signals.ts'
import type { Source } from '../media/types.ts'

type Params = Readonly<Record<string, unknown>>

/** Half of a round trip, ms. */
const TRIP_MS = 2

interface Mine {
  readonly track: string
  readonly source: Source
  muted: boolean
}

/** The media node's side of the signalling with one member, as docs/protocol.md has it, without any media. */
export class TestNode {
  /** In the order in which they came: the method's name without `media.`, and its params. */
  readonly calls: (readonly [method: string, params: Params])[] = []
  /** What goes wrong on purpose: asked for every call before it takes effect. */
  refuse: (method: string) => MadangError | null = () => null
  /** Methods whose answers wait for `release`. */
  holds: readonly string[] = []
  losesNotes = false
  plays = true
  /** Sources that the policy lets nobody receive. */
  unseen: readonly Source[] = []
  readonly #clock: Clock
  readonly #listeners = new Set<(note: { topic: string; data: unknown }) => void>()
  #held: (() => void)[] = []
  #tracks: readonly RemoteTrack[] = []
  #mine: Mine[] = []
  #peer: string | null = null
  #peers = 0
  #made = 0
  #v = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  readonly call: Call = (method, given) =>
    new Promise((resolve, reject) => {
      const name = method.replace('media.', '')
      const params = typeof given === 'object' && given !== null ? { ...given } : {}
      this.#clock.after(TRIP_MS, () => {
        this.calls.push([name, params])
        const answer = (): void => {
          this.#clock.after(TRIP_MS, () => {
            try {
              resolve(outcome())
            } catch (error) {
              reject(error)
            }
          })
        }
        const outcome = this.#effect(name, params)
        if (this.holds.includes(name)) this.#held.push(answer)
        else answer()
      })
    })

  readonly onNote = (listener: (note: { topic: string; data: unknown }) => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** How often the method was called, or with which params. */
  of(method: string): Params[] {
    return this.calls.filter(([name]) => name === method).map(([, params]) => params)
  }

  release(): void {
    for (const answer of this.#held.splice(0)) answer()
  }

  note(topic: string, data: unknown): void {
    for (const listener of this.#listeners) listener({ topic, data })
  }

  /** The policy grants these from now on, which the peer is told. */
  grant(...tracks: readonly RemoteTrack[]): void {
    this.#tracks = tracks
    this.#changed()
  }

  /** The policy lets nobody receive these. */
  hide(...sources: readonly Source[]): void {
    this.unseen = sources
    this.#changed()
  }

  /** Another page of the player publishes the source. */
  takeOver(source: Source): void {
    this.#mine = this.#mine.filter((mine) => mine.source !== source)
    this.#changed()
  }

  /** As where the worker died. */
  forget(): void {
    this.#peer = null
  }

  get state(): PeerState {
    const mine = this.#mine.map((each) => ({ ...each, unseen: this.unseen.includes(each.source) }))
    return { peer: this.#peer ?? '', v: this.#v, tracks: this.#tracks, mine }
  }

  #changed(): void {
    this.#v++
    if (!this.losesNotes && this.#peer !== null) this.note('media.state', this.state)
  }

  /** What the call gives, thrown where it is refused. */
  #effect(name: string, params: Params): () => unknown {
    const refusal = this.refuse(name)
    if (refusal) {
      return () => {
        throw refusal
      }
    }
    if (name === 'join') return this.#join()
    if (this.#peer === null) {
      return () => {
        throw new MadangError('not_found', 'there is no such peer: join again')
      }
    }
    if (name === 'produce') return this.#produce(params)
    if (name === 'leave') this.#peer = null
    if (name === 'close') this.#mine = this.#mine.filter(({ track }) => track !== params.track)
    if (name === 'state') {
      const answer = params.v === this.#v ? { v: this.#v } : this.state
      return () => answer
    }
    if (name === 'consume') return this.#consume(params)
    if (name === 'restart') return () => ({ iceParameters: { usernameFragment: 'u', password: 'p' } })
    if (name === 'stats') return () => this.#stats()
    return () => null
  }

  #join(): () => unknown {
    this.#peer = `peer-${++this.#peers}`
    this.#mine = []
    this.#v = 0
    const pipe = (id: string): object => ({ id, iceParameters: {}, iceCandidates: [], dtlsParameters: {} })
    const joined = {
      peer: this.#peer,
      router: {},
      iceServers: [],
      send: this.plays ? pipe(`${this.#peer} send`) : null,
      receive: pipe(`${this.#peer} receive`),
      limits: { tracks: 4, bandwidth: 1_000_000 },
      state: this.state,
    }
    return () => joined
  }

  #produce({ source, muted }: Params): () => unknown {
    const track = `own-${++this.#made}`
    this.#mine.push({ track, source: source as Source, muted: muted === true })
    this.#changed()
    return () => ({ track })
  }

  #consume({ track }: Params): () => unknown {
    const known = this.#tracks.find((each) => each.track === track)
    if (!known) {
      return () => {
        throw new MadangError('forbidden', 'you may not receive this track')
      }
    }
    const consumer = `consumer of ${known.track}`
    return () => ({ consumer, track, kind: known.kind, rtpParameters: {} })
  }

  #stats(): object {
    return {
      send: this.#mine.map(({ track, source }) => ({
        track,
        source,
        bytes: 900,
        packetsLost: 1,
        score: 9,
        bitrate: 8_000,
      })),
      receive: this.#tracks.map(({ track }) => ({
        consumer: `consumer of ${track}`,
        track,
        bytes: 500,
        bitrate: 4_000,
        score: 10,
        paused: false,
      })),
    }
  }
}
