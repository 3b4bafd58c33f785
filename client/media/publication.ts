import { backoff } from '../backoff.ts'
import { MadangError } from '../error.ts'
import { asMadangError } from './failure.ts'
import { type Line, refusalOf } from './line.ts'
import { Reconciler } from './reconciler.ts'
import type { Sender } from './rtc.ts'
import type { PeerState } from './signals.ts'
import type { Source } from './types.ts'

const RETRY_CAP_MS = 5_000

interface Waiter {
  resolve(): void
  reject(error: MadangError): void
}

export interface PublicationListener {
  /** What the page shows of it may be different. */
  changed(): void
  /** The server refused it for good, or another tab of the player took its place: it is over. */
  over(): void
}

/**
 * One source that this page publishes, over one peer after another. Compares what the server has with what is wanted and does the next thing,
 * one at a time, until nothing is left: then those who wait for it hear of it.
 */
export class Publication {
  readonly source: Source
  readonly #on: PublicationListener
  #track: MediaStreamTrack
  #muted: boolean
  #unseen = false
  #line: Line | null = null
  #sender: Sender | null = null
  /** Whether the server knows it as muted. */
  #told = false
  /** The server's state has shown it: where a later one does not, it is gone. */
  #confirmed = false
  #mine: PeerState['mine'] = []
  #over = false
  #attempts = 0
  #cancelRetry: () => void = () => {}
  readonly #waiters: Waiter[] = []
  readonly #work = new Reconciler(
    () => this.#step(),
    (error) => this.#failed(error),
  )

  constructor(source: Source, track: MediaStreamTrack, muted: boolean, on: PublicationListener) {
    this.source = source
    this.#track = track
    this.#muted = muted
    this.#on = on
  }

  get track(): MediaStreamTrack {
    return this.#track
  }

  get muted(): boolean {
    return this.#muted
  }

  get unseen(): boolean {
    return this.#unseen
  }

  /** Goes on with this track. Resolves once the server has it; rejects with MadangError where it is refused or ended before. */
  replace(track: MediaStreamTrack): Promise<void> {
    this.#track = track
    this.#silence()
    return this.#settled()
  }

  /** Silent or dark when this returns; resolves once the server knows, or it is over. */
  mute(muted: boolean): Promise<void> {
    this.#muted = muted
    this.#silence()
    this.#flow()
    this.#on.changed()
    return this.#settled().catch(() => {})
  }

  /** Over this peer from now on; null: there is none. */
  attach(line: Line | null): void {
    this.#line = line
    this.#sender = null
    this.#mine = []
    this.#unseen = this.#told = this.#confirmed = false
    this.#work.poke()
  }

  /** What the server says of one's own. */
  take({ mine }: PeerState): void {
    this.#mine = mine
    this.#compare()
  }

  /** No packet leaves after this. Resolves once the server was told, or could not be. `error`: what those hear who wait for it. */
  async end(error: MadangError): Promise<void> {
    const [line, sender] = [this.#line, this.#sender]
    this.#over = true
    this.#line = this.#sender = null
    this.#cancelRetry()
    for (const { reject } of this.#waiters.splice(0)) reject(error)
    sender?.close()
    // Where it does not reach the server, the next state or the end of the peer does as well.
    if (sender && line?.live) await line.signals.close(sender.id).catch(() => {})
  }

  /** Bytes that left, and the server's id for it. */
  async sent(): Promise<{ id: string; bytes: number } | null> {
    const sender = this.#sender
    return sender && { id: sender.id, bytes: await sender.bytes() }
  }

  /** Also once a track was made: what was said of it may have come before. */
  #compare(): void {
    const id = this.#sender?.id
    const own = this.#mine.find(({ track }) => track === id)
    if (own) {
      this.#confirmed = true
      this.#unseen = own.unseen
      this.#flow()
    } else if (this.#confirmed) {
      this.#sender?.close()
      this.#sender = null
      void this.end(new MadangError('conflict', `the ${this.source} is published by another page of yours now`))
      this.#on.over()
    }
  }

  #settled(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiters.push({ resolve, reject })
    this.#work.poke()
    return promise
  }

  /** Before any call or offer could: a microphone that is muted hears nothing. */
  #silence(): void {
    if (this.#track.kind === 'audio') this.#track.enabled = !this.#muted
  }

  #flow(): void {
    this.#sender?.flow(!this.#muted && !this.#unseen)
  }

  /** Says whether there may be more to do. */
  async #step(): Promise<boolean> {
    const line = this.#line
    if (!line?.live || this.#over) return false
    try {
      return await this.#next(line)
    } catch (error) {
      // What fails with its peer is done again over the next one.
      if (this.#line !== line) return true
      if (!line.live) return false
      throw error
    }
  }

  async #next(line: Line): Promise<boolean> {
    const [sender, track, muted] = [this.#sender, this.#track, this.#muted]
    if (sender === null) {
      const made = await line.rtc.send(this.source, track, muted)
      if (this.#line !== line) {
        made.close()
        if (this.#over && line.live) await line.signals.close(made.id)
        return true
      }
      this.#sender = made
      this.#told = muted
      this.#flow()
      this.#compare()
      this.#on.changed()
    } else if (sender.track !== track) {
      await sender.replace(track)
    } else if (this.#told !== muted) {
      await line.signals.mute(sender.id, muted)
      if (this.#sender === sender) this.#told = muted
    } else {
      this.#attempts = 0
      for (const { resolve } of this.#waiters.splice(0)) resolve()
      return false
    }
    return true
  }

  #failed(error: unknown): void {
    const line = this.#line
    if (this.#over || !line?.live) return
    const refused = asMadangError(error)
    const refusal = refusalOf(refused)
    if (refusal === 'final') {
      void this.end(refused)
      this.#on.over()
      return
    }
    if (refusal === 'doubt') line.doubt()
    this.#cancelRetry()
    this.#cancelRetry = line.clock.after(backoff(this.#attempts++, line.chance, RETRY_CAP_MS), () => this.#work.poke())
  }
}
