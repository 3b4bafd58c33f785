import { messageOf } from '../../protocol/errors.ts'
import type { PlayerId } from '../../protocol/frames.ts'
import { MadangError } from '../error.ts'
import { Store } from '../store.ts'
import type { Media, MediaGround } from './media.ts'
import type { Rtc } from './rtc.ts'
import type { MediaState, MediaStats, OwnTrack, PlayerStream, RoomMedia, Source } from './types.ts'

/** What the page watches. */
export interface MediaStores {
  readonly state: Store<MediaState>
  readonly streams: Store<ReadonlyMap<PlayerId, PlayerStream>>
  readonly mine: Store<ReadonlyMap<Source, OwnTrack>>
  readonly speaking: Store<ReadonlyMap<PlayerId, number>>
}

/** `room.media`: what there is of video before it is used. All the rest is loaded by the first `join`, `publish` or `mute`. */
export class MediaDoor implements RoomMedia, MediaStores {
  readonly state = new Store<MediaState>({ status: 'off' })
  readonly streams = new Store<ReadonlyMap<PlayerId, PlayerStream>>(new Map())
  readonly mine = new Store<ReadonlyMap<Source, OwnTrack>>(new Map())
  readonly speaking = new Store<ReadonlyMap<PlayerId, number>>(new Map())
  readonly #ground: MediaGround
  readonly #loadRtc: () => Promise<Rtc>
  #loading: Promise<Media> | null = null
  #media: Media | null = null
  #leaves = 0
  #closed: MadangError | null = null
  /** The tiles that were shown before. */
  readonly #shown: Parameters<RoomMedia['show']>[] = []

  constructor(ground: MediaGround, loadRtc: () => Promise<Rtc>) {
    this.#ground = ground
    this.#loadRtc = loadRtc
  }

  async join(): Promise<void> {
    const media = await this.#enter()
    await media.join()
  }

  async publish(tracks: Parameters<RoomMedia['publish']>[0]): Promise<void> {
    const media = await this.#enter()
    await media.publish(tracks)
  }

  async unpublish(source: Source): Promise<void> {
    await this.#media?.unpublish(source)
  }

  async mute(source: Source, muted: boolean): Promise<void> {
    const media = this.#media ?? (await this.#load())
    await media.mute(source, muted)
  }

  show(...tile: Parameters<RoomMedia['show']>): void {
    if (this.#media) this.#media.show(...tile)
    else this.#shown.push(tile)
  }

  async stats(): Promise<MediaStats> {
    return (await this.#media?.stats()) ?? { send: [], receive: [] }
  }

  async leave(): Promise<void> {
    this.#leaves++
    await this.#media?.leave()
  }

  /** The room is over. */
  close(error: MadangError): void {
    this.#closed = error
    this.#media?.close(error)
  }

  /** Loaded, to be joined. Rejects with MadangError where it was left meanwhile. */
  async #enter(): Promise<Media> {
    const leaves = this.#leaves
    const media = await this.#load()
    if (leaves !== this.#leaves) throw new MadangError('conflict', 'video was left')
    return media
  }

  async #load(): Promise<Media> {
    if (this.#closed) throw new MadangError('not_member', `the room is closed: ${this.#closed.message}`)
    this.#loading ??= this.#make()
    try {
      return await this.#loading
    } catch (cause) {
      // The next call tries again: what was missing may have been the network.
      this.#loading = null
      const error = cause instanceof MadangError ? cause : new MadangError('unavailable', notLoaded(cause))
      if (this.#closed === null) this.state.set({ status: 'failed', error })
      throw error
    }
  }

  async #make(): Promise<Media> {
    const [{ Media }, rtc] = await Promise.all([import('./media.ts'), this.#loadRtc()])
    if (this.#closed) throw new MadangError('not_member', `the room is closed: ${this.#closed.message}`)
    const media = new Media(this.#ground, rtc, this)
    this.#media = media
    for (const tile of this.#shown.splice(0)) media.show(...tile)
    return media
  }
}

const notLoaded = (cause: unknown): string => `the code for video could not be loaded (${messageOf(cause)}): try again`
