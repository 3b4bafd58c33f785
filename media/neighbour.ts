import type { Consumer, Producer } from 'mediasoup/types'
import type { MediaLevels, MediaNodeId, MediaPart } from '../bus/media-messages.ts'
import type { Clock } from '../protocol/clock.ts'
import { FarTrack } from './far.ts'
import { openPipe, type Pipe } from './pipe.ts'
import { Reach } from './reach.ts'
import type { Stage } from './stage.ts'
import { Track } from './track.ts'

export type Said =
  | Pick<MediaPart, 'kind' | 'tracks' | 'wants' | 'pipe' | 'sends'>
  | Pick<MediaLevels, 'kind' | 'levels'>

export interface NeighbourOptions {
  id: MediaNodeId
  /** This node opens the pipe; else the other one does. */
  opens: boolean
  clock: Clock
  stage: Stage
  say: (said: Said) => void
}

/**
 * Another node of one room, and the pipe between the two. Each side says all that it has and wants of the other; what is to be done
 * follows from comparing that with what there is, so that it makes no difference which message is lost.
 */
export class Neighbour {
  readonly id: MediaNodeId
  readonly #options: NeighbourOptions
  /** What it publishes. */
  readonly #tracks = new Map<string, FarTrack>()
  /** Tracks of this node that go there. */
  readonly #sent = new Map<string, { consumer: Consumer; flows: boolean }>()
  /** Tracks of the other one that have come here; `id` is what it sends each under. */
  readonly #come = new Map<string, { id: string; producer: Producer }>()
  /** Tracks that those here are yet to be told that they are gone. */
  readonly #lost = new Set<string>()
  #theirs: MediaPart | null = null
  #pipe: Pipe | null = null
  #said = ''
  #isSettling = false
  #isDue = false
  #isClosed = false

  constructor(options: NeighbourOptions) {
    this.id = options.id
    this.#options = options
    this.settle()
  }

  hear(part: MediaPart): void {
    const { stage, clock } = this.#options
    this.#theirs = part
    const published = new Set(part.tracks.map(({ track }) => track))
    for (const track of this.#tracks.values()) if (!published.has(track.id)) this.#forget(track)
    for (const about of part.tracks) {
      const known = this.#tracks.get(about.track)
      if (known !== undefined) known.muted = about.muted
      else if (!stage.tracks.has(about.track) && !this.#lost.has(about.track)) {
        const track = new FarTrack(about, { clock, onChange: () => this.settle() })
        this.#tracks.set(track.id, track)
        stage.tracks.set(track.id, track)
      }
    }
    stage.apply()
    this.settle()
  }

  /** Brings about what both sides want as far as this one can, and says what has changed by it. */
  settle(): void {
    this.#isDue = true
    if (this.#isSettling) return
    this.#isSettling = true
    this.#options.clock.soon(() => void this.#settle().finally(() => this.#settled()))
  }

  /** Says all again. */
  repeat(): void {
    this.#said = ''
    this.settle()
  }

  /** The room is not there any more. */
  close(): void {
    this.#isClosed = true
    for (const track of this.#tracks.values()) this.#forget(track)
    this.#drop()
    this.#options.stage.apply()
  }

  #settled(): void {
    this.#isSettling = false
    if (this.#isDue) this.settle()
  }

  /** Whatever ended meanwhile is looked at again when that is told, or with the next repetition. */
  async #settle(): Promise<void> {
    this.#isDue = false
    if (this.#isClosed) return
    await this.#join().catch(() => this.#drop())
    await this.#send()
    await this.#receive()
    if (!this.#isClosed) this.#say()
  }

  /**
   * An end is connected once. The side that opens makes a new one where the other's is not the one that it is connected to, and the other
   * side one for each that it is told of.
   */
  async #join(): Promise<void> {
    const { opens } = this.#options
    const theirs = this.#theirs?.pipe ?? null
    const isOfOther = this.#pipe?.to !== theirs?.id && !(opens && this.#pipe?.to === null)
    if (this.#pipe?.transport.closed || isOfOther) this.#drop()
    const isNeeded = opens ? this.#wants().size > 0 || (this.#theirs?.wants.length ?? 0) > 0 : theirs !== null
    if (this.#pipe === null && isNeeded) await this.#open()
    const pipe = this.#pipe
    if (pipe === null || theirs === null || pipe.to !== null) return
    if (!opens || theirs.to === pipe.transport.id) await pipe.connect(theirs)
  }

  async #open(): Promise<void> {
    const seat = await this.#options.stage.seat()
    if (seat === null || this.#isClosed) return
    const pipe = await openPipe(seat)
    if (this.#isClosed) pipe.close()
    else this.#pipe = pipe
  }

  async #send(): Promise<void> {
    const pipe = this.#pipe
    const wants = this.#theirs?.wants ?? []
    const wanted = new Set(wants.map(({ track }) => track))
    for (const [id, { consumer }] of this.#sent) {
      if (!consumer.closed && wanted.has(id)) continue
      consumer.close()
      this.#sent.delete(id)
    }
    if (pipe === null || pipe.to === null) return
    await Promise.allSettled(
      wants.map(async ({ track: id, flows }) => {
        const track = this.#options.stage.tracks.get(id)
        if (!(track instanceof Track)) return
        const sent = this.#sent.get(id) ?? { consumer: await track.into(pipe), flows: true }
        this.#sent.set(id, sent)
        if (sent.flows === flows) return
        sent.flows = flows
        await sent.consumer[flows ? 'resume' : 'pause']()
      }),
    )
  }

  async #receive(): Promise<void> {
    const pipe = this.#pipe
    const wants = this.#wants()
    const sends = new Map((this.#theirs?.sends ?? []).map((sent) => [sent.track, sent]))
    for (const [track, { id, producer }] of this.#come)
      if (producer.closed || !wants.has(track) || sends.get(track)?.id !== id) this.#end(track)
    if (pipe === null || pipe.to === null || pipe.to !== this.#theirs?.pipe?.id) return
    await Promise.allSettled(
      [...sends.values()].map(async ({ track: id, id: as, rtpParameters }) => {
        const track = this.#tracks.get(id)
        if (track === undefined || rtpParameters === null || !wants.has(id) || this.#come.has(id)) return
        const producer = await pipe.transport.produce({ id, kind: track.kind, rtpParameters })
        if (track.isClosed) {
          producer.close()
          return
        }
        this.#come.set(id, { id: as, producer })
        track.come(new Reach(id, pipe.seat))
      }),
    )
  }

  /** Of its tracks those that are received here, or are to be; whether each flows to anybody. */
  #wants(): ReadonlyMap<string, boolean> {
    const { received } = this.#options.stage
    const wants = new Map<string, boolean>()
    for (const { id, isAwaited } of this.#tracks.values())
      if (isAwaited || received.has(id)) wants.set(id, received.get(id) === true)
    return wants
  }

  #say(): void {
    const has = new Set((this.#theirs?.wants ?? []).flatMap((want) => (want.has ? [want.track] : [])))
    const part: Said = {
      kind: 'media-part',
      tracks: this.#options.stage.published.map(aboutOf),
      wants: Array.from(this.#wants(), ([track, flows]) => ({ track, has: this.#come.has(track), flows })),
      pipe: this.#pipe?.end ?? null,
      sends: Array.from(this.#sent, ([track, { consumer }]) => ({
        track,
        id: consumer.id,
        rtpParameters: has.has(track) ? null : consumer.rtpParameters,
      })),
    }
    const text = JSON.stringify(part)
    if (text === this.#said) return
    this.#said = text
    this.#options.say(part)
  }

  #forget(track: FarTrack): void {
    this.#tracks.delete(track.id)
    this.#options.stage.tracks.delete(track.id)
    this.#come.get(track.id)?.producer.close()
    this.#come.delete(track.id)
    track.close()
  }

  /** It comes no longer. Whoever receives it has to ask anew: the track is gone for them until the other node speaks of it again. */
  #end(id: string): void {
    const { stage, clock } = this.#options
    const track = this.#tracks.get(id)
    this.#come.get(id)?.producer.close()
    this.#come.delete(id)
    track?.go()
    if (track === undefined || !stage.received.has(id)) return
    this.#forget(track)
    stage.apply()
    this.#lost.add(id)
    clock.soon(() => this.#lost.delete(id))
  }

  #drop(): void {
    for (const track of [...this.#come.keys()]) this.#end(track)
    this.#sent.clear()
    this.#pipe?.close()
    this.#pipe = null
  }
}

const aboutOf = ({ id, player, source, muted }: Track): MediaPart['tracks'][number] => ({
  track: id,
  player,
  source,
  muted,
})
