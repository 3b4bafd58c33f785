import type { AudioLevelObserver } from 'mediasoup/types'
import type { MediaNodeId } from '../bus/media-messages.ts'
import type { Clock } from '../protocol/clock.ts'
import type { PlayerId } from '../protocol/frames.ts'

const TELL_EVERY_MS = 250
const QUIET_DB = -60
/** Levels are told in steps of this: what is not heard is not told. */
const STEPS = 20
/** Whoever is loudest for this long is the speaker; after the longer time of silence nobody is. */
const SPEAKER_AFTER_MS = 500
const NOBODY_AFTER_MS = 1_000

export interface SpeakingOptions {
  clock: Clock
  /** The track of a producer's id. */
  trackOf: (producer: string) => { player: PlayerId } | undefined
  onLevels: () => void
  onSpeaker: (player: PlayerId | null) => void
}

/** Who speaks in one room, and how loud: from microphones only. */
export class Speaking {
  readonly #options: SpeakingOptions
  readonly #heard = new Map<AudioLevelObserver, ReadonlyMap<PlayerId, number>>()
  /** What other nodes of the room hear. */
  readonly #far = new Map<MediaNodeId, ReadonlyMap<PlayerId, number>>()
  #isWaiting = false
  #isDue = false
  #speaker: PlayerId | null = null
  #next: { player: PlayerId | null; cancel: () => void } | null = null

  constructor(options: SpeakingOptions) {
    this.#options = options
  }

  /** By player, above 0 to 1. */
  get levels(): ReadonlyMap<PlayerId, number> {
    return new Map([...this.own, ...[...this.#far.values()].flatMap((levels) => [...levels])])
  }

  /** Of those who publish at this node. */
  get own(): ReadonlyMap<PlayerId, number> {
    return new Map([...this.#heard.values()].flatMap((levels) => [...levels]))
  }

  /** Another node of the room hears this; nothing: it is no other node of the room any more. */
  hearFrom(node: MediaNodeId, levels: ReadonlyMap<PlayerId, number>): void {
    if (levels.size > 0) this.#far.set(node, levels)
    else if (!this.#far.delete(node)) return
    this.#findSpeaker()
    this.tell()
  }

  listen(observer: AudioLevelObserver): void {
    const hear = (levels: ReadonlyMap<PlayerId, number>) => {
      this.#heard.set(observer, levels)
      this.#findSpeaker()
      this.tell()
    }
    observer.on('silence', () => hear(new Map()))
    observer.on('volumes', (volumes) =>
      hear(
        new Map(
          volumes.flatMap(({ producer, volume }): [PlayerId, number][] => {
            const track = this.#options.trackOf(producer.id)
            return track === undefined ? [] : [[track.player, levelOf(volume)]]
          }),
        ),
      ),
    )
  }

  /** Has the levels told now, or as soon as the last time is long enough ago. */
  tell(): void {
    this.#isDue = true
    if (this.#isWaiting) return
    this.#isDue = false
    this.#isWaiting = true
    this.#options.clock.after(TELL_EVERY_MS, () => {
      this.#isWaiting = false
      if (this.#isDue) this.tell()
    })
    this.#options.onLevels()
  }

  /** Nobody is heard here any more: the room's routers are closed. */
  clear(): void {
    this.#heard.clear()
    this.#findSpeaker()
  }

  #findSpeaker(): void {
    const [loudest] = [...this.levels].sort(([, a], [, b]) => b - a)
    const player = loudest?.[0] ?? null
    if (this.#next?.player === player) return
    this.#next?.cancel()
    this.#next = null
    if (player === this.#speaker) return
    const cancel = this.#options.clock.after(player === null ? NOBODY_AFTER_MS : SPEAKER_AFTER_MS, () => {
      this.#next = null
      this.#speaker = player
      this.#options.onSpeaker(player)
    })
    this.#next = { player, cancel }
  }
}

const levelOf = (decibels: number): number =>
  Math.max(1, Math.min(STEPS, Math.round((1 - decibels / QUIET_DB) * STEPS))) / STEPS
