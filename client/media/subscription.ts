import { backoff } from '../backoff.ts'
import { asMadangError } from './failure.ts'
import type { Layer } from './layers.ts'
import type { Limit } from './limit.ts'
import { type Line, refusalOf } from './line.ts'
import { qualityOf } from './quality.ts'
import { Reconciler } from './reconciler.ts'
import type { Receiver, ReceiverCount } from './rtc.ts'
import type { ConsumerId, RemoteTrack } from './signals.ts'
import type { Granted } from './streams.ts'
import type { Tiles } from './tiles.ts'
import type { Quality, ReceivedStats } from './types.ts'

const RETRY_CAP_MS = 5_000

interface Consumer {
  readonly id: ConsumerId
  readonly receiver: Receiver
  /** What the server was asked for last. */
  on: boolean
  layer: Layer | null
  /** Something came of it. */
  arrived: boolean
}

/** The smallest layer: a camera begins with it, so that the first picture comes soonest. */
const FIRST: Layer = 0
const LARGEST: Layer = 2

/**
 * One track of somebody else, from the first time that it is granted. Compares what is with what is wanted and does the next thing, one at
 * a time, until nothing is left. What is not granted any more is cut off at once; its consumer stays, so that a return takes no call.
 */
export class Subscription {
  readonly #line: Line
  readonly #limit: Limit
  readonly #tiles: Tiles
  readonly #changed: () => void
  #track: RemoteTrack
  #granted = true
  #closed = false
  readonly #work = new Reconciler(
    () => this.#step(),
    (error) => this.#failed(error),
  )
  #attempts = 0
  #cancelRetry: () => void = () => {}
  #consumer: Consumer | null = null
  #asked: number
  #ready: number | null = null
  #arrived: number | null = null
  #counted: { at: number; count: ReceiverCount } | null = null
  #quality: Quality | null = null

  constructor(track: RemoteTrack, line: Line, limit: Limit, tiles: Tiles, changed: () => void) {
    this.#track = track
    this.#line = line
    this.#limit = limit
    this.#tiles = tiles
    this.#changed = changed
    this.#asked = line.clock.now()
  }

  get track(): RemoteTrack {
    return this.#track
  }

  /** What the page may show of it; null while it is not granted. */
  get shown(): Granted | null {
    if (!this.#granted) return null
    const { player, source, muted } = this.#track
    return { player, source, muted, track: this.#consumer?.receiver.track ?? null, quality: this.#quality }
  }

  /** Granted as it is here, or not any more. */
  grant(track: RemoteTrack | null): void {
    if (track) this.#track = track
    this.#granted = track !== null
    if (!this.#granted) this.#quality = this.#counted = null
    if (this.#consumer) this.#consumer.receiver.track.enabled = this.#granted
    this.sync()
  }

  close(): void {
    this.#closed = true
    this.#granted = false
    this.#cancelRetry()
    this.#consumer?.receiver.close()
    this.#consumer = null
  }

  /** Does what is to be done. */
  sync(): void {
    this.#work.poke()
  }

  /** Looks how well it arrives. */
  async judge(): Promise<void> {
    const consumer = this.#consumer
    if (!consumer?.on || !this.#granted || this.#track.muted) {
      this.#quality = this.#counted = null
      return
    }
    const count = await consumer.receiver.count()
    const at = this.#line.clock.now()
    const before = this.#counted
    if (count === null || consumer !== this.#consumer || !this.#granted) return
    this.#counted = { at, count }
    if (before) this.#quality = qualityOf(this.#track.kind, before.count, count, at - before.at)
  }

  async stats(): Promise<ReceivedStats & { readonly consumer: ConsumerId | null }> {
    const consumer = this.#consumer
    const count = (await consumer?.receiver.count()) ?? null
    return {
      player: this.#track.player,
      source: this.#track.source,
      granted: this.#granted,
      bytes: count?.bytes ?? 0,
      packets: count?.packets ?? 0,
      packetsLost: count?.packetsLost ?? 0,
      framesDecoded: count?.framesDecoded ?? 0,
      frameWidth: count?.frameWidth ?? 0,
      frameHeight: count?.frameHeight ?? 0,
      audioEnergy: count?.audioEnergy ?? 0,
      timing: { asked: this.#asked, ready: this.#ready, arrived: this.#arrived },
      server: null,
      consumer: consumer?.id ?? null,
    }
  }

  /** Says whether there may be more to do. */
  async #step(): Promise<boolean> {
    const { signals, live } = this.#line
    if (!live || this.#closed || !this.#granted) return false
    const consumer = this.#consumer
    if (consumer === null) {
      await this.#limit.run(() => this.#consume())
      return true
    }
    const look = this.#tiles.look(this.#track.player, this.#track.source)
    const layer = consumer.arrived ? (look.layer ?? LARGEST) : FIRST
    const calls: Promise<unknown>[] = []
    if (consumer.layer !== layer && look.on && this.#track.source === 'camera') {
      consumer.layer = layer
      calls.push(signals.layers(consumer.id, layer))
    }
    if (consumer.on !== look.on) calls.push(this.#turn(consumer, look.on))
    await Promise.all(calls)
    if (calls.length === 0) this.#attempts = 0
    return calls.length > 0
  }

  async #turn(consumer: Consumer, on: boolean): Promise<void> {
    const { signals, clock } = this.#line
    await (on ? signals.resume(consumer.id) : signals.suspend(consumer.id))
    consumer.on = on
    if (on) this.#ready ??= clock.now()
  }

  async #consume(): Promise<void> {
    const { signals, rtc, clock } = this.#line
    if (!this.#line.live || this.#closed || !this.#granted) return
    this.#asked = clock.now()
    const consumed = await signals.consume(this.#track.track, rtc.capabilities)
    if (!this.#line.live || this.#closed) return
    const receiver = await rtc.receive(consumed, streamOf(this.#track))
    if (!this.#line.live || this.#closed) return receiver.close()
    const consumer = { id: consumed.consumer, receiver, on: false, layer: null, arrived: false }
    receiver.track.addEventListener('unmute', () => {
      this.#arrived ??= clock.now()
      consumer.arrived = true
      this.sync()
    })
    receiver.track.enabled = this.#granted
    this.#consumer = consumer
    this.#changed()
  }

  #failed(error: unknown): void {
    if (!this.#line.live || this.#closed) return
    if (refusalOf(asMadangError(error)) === 'doubt') {
      // The consumer is gone at the server, alone or with the whole peer.
      this.#consumer?.receiver.close()
      this.#consumer = null
      this.#changed()
      this.#line.doubt()
    }
    // `forbidden` too: the state that says so may be on its way; while this one grants it, it is asked for.
    this.#cancelRetry()
    const wait = backoff(this.#attempts++, this.#line.chance, RETRY_CAP_MS)
    this.#cancelRetry = this.#line.clock.after(wait, () => this.sync())
  }
}

/** What is played in step; a word that SDP takes, whatever players are called. */
const streamOf = ({ player, source }: RemoteTrack): string =>
  `${encodeURIComponent(player)}-${source.startsWith('screen') ? 'screen' : 'face'}`
