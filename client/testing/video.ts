import { realClock } from '../../cli/real.ts'
import { type VirtualClock, virtualClock } from '../../test/virtual-clock.ts'
import type { SessionState } from '../connection.ts'
import type { TransportName } from '../link.ts'
import { MediaDoor } from '../media/door.ts'
import type { RemoteTrack } from '../media/signals.ts'
import type { Source } from '../media/types.ts'
import { Store } from '../store.ts'
import { seededChance } from './chance.ts'
import { TestNode } from './media-node.ts'
import { TestRtc } from './rtc.ts'
import { TestTrack } from './tracks.ts'

/** The video of one room as a page has it, with a media node that does what it is told to, in virtual time. */
export interface Video {
  readonly clock: VirtualClock
  readonly node: TestNode
  readonly rtc: TestRtc
  readonly media: MediaDoor
  readonly session: Store<SessionState>
  readonly transport: Store<TransportName | null>
  readonly device: { online: boolean; plays: boolean; look(): void }
  /** The tracks of a player's face that the page plays now. */
  faceOf(player: string): string[]
  /** Runs time until the promise settles. */
  until<T>(promise: Promise<T>): Promise<T>
}

export const video = (seed = 1): Video => {
  const clock = virtualClock()
  const node = new TestNode(clock)
  const rtc = new TestRtc()
  const session = new Store<SessionState>({ status: 'online' })
  const transport = new Store<TransportName | null>('websocket')
  const watchers = new Set<() => void>()
  const device = {
    online: true,
    plays: true,
    look: () => {
      for (const watcher of watchers) watcher()
    },
  }
  const network = {
    online: () => device.online,
    watch: (listener: () => void) => {
      watchers.add(listener)
      return () => watchers.delete(listener)
    },
  }
  const { call, onNote } = node
  const plays = (): boolean => device.plays
  const ground = { clock, chance: seededChance(seed), network, call, session, transport, plays, onNote }
  const media = new MediaDoor(ground, async () => rtc)
  return {
    clock,
    node,
    rtc,
    media,
    session,
    transport,
    device,
    faceOf: (player) =>
      media.streams.current
        .get(player)
        ?.stream.getTracks()
        .map(({ id }) => id) ?? [],
    until: async (promise) => {
      let settled = false
      const done = (): void => {
        settled = true
      }
      promise.then(done, done)
      // The first use loads the rest of the code, in real time.
      while (!settled) {
        await new Promise<void>((resolve) => realClock.soon(resolve))
        await clock.advance(1)
      }
      return promise
    },
  }
}

export const trackOf = (player: string, source: Source, extra: Partial<RemoteTrack> = {}): RemoteTrack => ({
  track: `${player} ${source}`,
  player,
  source,
  kind: source === 'camera' || source === 'screen' ? 'video' : 'audio',
  muted: false,
  ...extra,
})

export const joined = async (...tracks: RemoteTrack[]): Promise<Video> => {
  const all = video()
  all.node.grant(...tracks)
  await all.until(all.media.join())
  await all.clock.advance(50)
  return all
}

/** Joined with a microphone and a camera. */
export const published = async (): Promise<Video & { microphone: TestTrack; camera: TestTrack }> => {
  const all = await joined()
  const [microphone, camera] = [new TestTrack('audio'), new TestTrack('video')]
  await all.until(all.media.publish({ microphone, camera }))
  return { ...all, microphone, camera }
}

export const BEN = [trackOf('ben', 'camera'), trackOf('ben', 'microphone')]
