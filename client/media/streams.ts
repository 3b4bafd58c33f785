import type { PlayerId } from '../../protocol/frames.ts'
import type { Store } from '../store.ts'
import { worst } from './quality.ts'
import type { PlayerStream, Quality, Source } from './types.ts'

/** A track that is granted now. */
export interface Granted {
  readonly player: PlayerId
  readonly source: Source
  readonly muted: boolean
  /** Null until it is received. */
  readonly track: MediaStreamTrack | null
  readonly quality: Quality | null
}

interface Screens {
  /** Camera and microphone. */
  readonly face: MediaStream
  readonly screen: MediaStream
}

/** What the page shows of the others. A player's MediaStreams stay the same for as long as one is in the room. */
export class Streams {
  readonly #store: Store<ReadonlyMap<PlayerId, PlayerStream>>
  readonly #make: () => MediaStream
  readonly #screens = new Map<PlayerId, Screens>()

  constructor(store: Store<ReadonlyMap<PlayerId, PlayerStream>>, make: () => MediaStream) {
    this.#store = store
    this.#make = make
  }

  /** Shows exactly this: what is not in it is gone when this returns. */
  show(granted: readonly Granted[]): void {
    const byPlayer = Map.groupBy(granted, ({ player }) => player)
    const before = this.#store.current
    const shown = new Map<PlayerId, PlayerStream>()
    for (const [player, screens] of this.#screens) {
      if (!byPlayer.has(player)) this.#fill(screens, [])
    }
    for (const [player, tracks] of byPlayer) {
      const screens = this.#screensOf(player)
      const isRefilled = this.#fill(screens, tracks)
      const now = playerStream(screens, tracks)
      const was = before.get(player)
      shown.set(player, was && !isRefilled && isSame(was, now) ? was : now)
    }
    const isChanged = shown.size !== before.size || [...shown].some(([player, stream]) => before.get(player) !== stream)
    if (isChanged) this.#store.set(shown)
  }

  #screensOf(player: PlayerId): Screens {
    const screens = this.#screens.get(player) ?? { face: this.#make(), screen: this.#make() }
    this.#screens.set(player, screens)
    return screens
  }

  /** Says whether other tracks are in them than before. */
  #fill({ face, screen }: Screens, tracks: readonly Granted[]): boolean {
    const isFaceNew = fill(face, (source) => !isScreen(source), tracks)
    const isScreenNew = fill(screen, isScreen, tracks)
    return isFaceNew || isScreenNew
  }
}

const isScreen = (source: Source): boolean => source === 'screen' || source === 'screen-audio'

const fill = (stream: MediaStream, isIn: (source: Source) => boolean, granted: readonly Granted[]): boolean => {
  const tracks = granted.flatMap(({ source, track }) => (track && isIn(source) ? [track] : []))
  const old = stream.getTracks().filter((track) => !tracks.includes(track))
  const added = tracks.filter((track) => !stream.getTracks().includes(track))
  for (const track of old) stream.removeTrack(track)
  for (const track of added) stream.addTrack(track)
  return old.length > 0 || added.length > 0
}

const playerStream = ({ face, screen }: Screens, tracks: readonly Granted[]): PlayerStream => ({
  stream: face,
  screen: tracks.some(({ source }) => source === 'screen') ? screen : null,
  camera: tracks.some(({ source }) => source === 'camera'),
  microphone: tracks.some(({ source }) => source === 'microphone'),
  muted: new Set(tracks.filter(({ muted }) => muted).map(({ source }) => source)),
  quality: worst(tracks.map(({ quality }) => quality)),
})

const isSame = (a: PlayerStream, b: PlayerStream): boolean =>
  a.screen === b.screen &&
  a.camera === b.camera &&
  a.microphone === b.microphone &&
  a.quality === b.quality &&
  a.muted.size === b.muted.size &&
  [...a.muted].every((source) => b.muted.has(source))
