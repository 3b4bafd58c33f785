import { describe, expect, test } from 'vitest'
import { type VirtualClock, virtualClock } from '../../test/virtual-clock.ts'
import type { SessionState } from '../connection.ts'
import { MadangError } from '../error.ts'
import type { TransportName } from '../link.ts'
import { Store } from '../store.ts'
import { seededChance } from '../testing/chance.ts'
import { TestNode } from '../testing/media-node.ts'
import { TestRtc } from '../testing/rtc.ts'
import { TestTrack } from '../testing/tracks.ts'
import { refusal } from '../testing/world.ts'
import { MediaDoor } from './door.ts'
import type { RemoteTrack } from './signals.ts'
import type { Source } from './types.ts'

interface Video {
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

const video = (seed = 1): Video => {
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
        await new Promise((resolve) => setImmediate(resolve))
        await clock.advance(1)
      }
      return promise
    },
  }
}

const trackOf = (player: string, source: Source, extra: Partial<RemoteTrack> = {}): RemoteTrack => ({
  track: `${player} ${source}`,
  player,
  source,
  kind: source === 'camera' || source === 'screen' ? 'video' : 'audio',
  muted: false,
  ...extra,
})

const joined = async (...tracks: RemoteTrack[]): Promise<Video> => {
  const all = video()
  all.node.grant(...tracks)
  await all.until(all.media.join())
  await all.clock.advance(50)
  return all
}

/** Joined with a microphone and a camera. */
const published = async (): Promise<Video & { microphone: TestTrack; camera: TestTrack }> => {
  const all = await joined()
  const [microphone, camera] = [new TestTrack('audio'), new TestTrack('video')]
  await all.until(all.media.publish({ microphone, camera }))
  return { ...all, microphone, camera }
}

const BEN = [trackOf('ben', 'camera'), trackOf('ben', 'microphone')]

describe('what is received', () => {
  test('is set up, then resumed, and played as one stream of camera and microphone', async () => {
    const { node, rtc, media, faceOf } = await joined(...BEN)
    expect(media.state.current).toEqual({ status: 'live' })
    expect(faceOf('ben').sort()).toEqual(['ben camera', 'ben microphone'])
    expect(media.streams.current.get('ben')).toMatchObject({ camera: true, microphone: true, screen: null })
    const methods = node.calls.map(([method]) => method)
    expect(methods.indexOf('resume')).toBeGreaterThan(methods.indexOf('connect'))
    expect(node.of('resume')).toHaveLength(2)
    expect(rtc.peer.receivers).toHaveLength(2)
  })

  test('whoever watches the streams hears of it when it is granted, and again when its track is there', async () => {
    const { node, media, clock, faceOf } = await joined()
    const heard: string[][] = []
    media.streams.subscribe(() => heard.push(faceOf('ben')))
    node.grant(trackOf('ben', 'camera'))
    await clock.advance(50)
    expect(heard).toEqual([[], ['ben camera']])
  })

  test('leaves the page at once when it is not granted any more, and comes back without a call', async () => {
    const { node, rtc, media, faceOf, clock } = await joined(...BEN)
    const { stream } = media.streams.current.get('ben') ?? {}
    const calls = node.calls.length
    node.grant(trackOf('ben', 'camera'))
    expect(faceOf('ben')).toEqual(['ben camera'])
    expect(media.streams.current.get('ben')).toMatchObject({ camera: true, microphone: false })
    node.grant()
    expect(media.streams.current.size).toBe(0)
    expect(stream?.getTracks()).toEqual([])
    expect(rtc.peer.receivers.map(({ track, closed }) => [track.enabled, closed])).toEqual([
      [false, false],
      [false, false],
    ])
    node.grant(...BEN)
    expect(faceOf('ben').sort()).toEqual(['ben camera', 'ben microphone'])
    expect(media.streams.current.get('ben')?.stream).toBe(stream)
    expect(rtc.peer.receivers.map(({ track }) => track.enabled)).toEqual([true, true])
    await clock.advance(100)
    expect(node.calls.length).toBe(calls)
  })

  test('is never shown where it was taken back while it was set up', async () => {
    const { node, media, clock, rtc, faceOf } = await joined()
    node.holds = ['consume']
    node.grant(trackOf('ben', 'camera'))
    await clock.advance(20)
    node.grant()
    node.holds = []
    node.release()
    await clock.advance(50)
    expect(media.streams.current.size).toBe(0)
    expect(rtc.peer.receivers.map(({ track }) => track.enabled)).toEqual([false])
    expect(node.of('resume')).toEqual([])
    node.grant(trackOf('ben', 'camera'))
    await clock.advance(50)
    expect(faceOf('ben')).toEqual(['ben camera'])
    expect(node.of('resume')).toHaveLength(1)
  })

  test('an older state, and one of another peer, changes nothing', async () => {
    const { node, media } = await joined(...BEN)
    const { peer, v } = node.state
    node.note('media.state', { peer, v: v - 1, tracks: [], mine: [] })
    node.note('media.state', { peer: 'another', v: v + 9, tracks: [], mine: [] })
    node.note('media.state', { peer, v: v + 9, tracks: 'none', mine: [] })
    expect([...media.streams.current.keys()]).toEqual(['ben'])
    node.note('media.state', { peer, v: v + 1, tracks: [], mine: [] })
    expect(media.streams.current.size).toBe(0)
  })

  test.each([
    ['websocket', 5_000],
    ['poll', 1_000],
  ] as const)('a NOTE that was lost is made good within the pulse: over %s %d ms', async (name, ms) => {
    const { node, media, clock, transport } = await joined(...BEN)
    await clock.advance(6_000)
    transport.set(name)
    const pulses = node.of('state').length
    await clock.runUntil(() => node.of('state').length === pulses + 1)
    node.losesNotes = true
    node.grant()
    await clock.advance(ms - 100)
    expect(media.streams.current.size).toBe(1)
    await clock.advance(200)
    expect(media.streams.current.size).toBe(0)
  })

  test('sound comes before pictures, and six are set up at a time', async () => {
    const { node, clock } = await joined()
    node.holds = ['consume']
    const players = ['ann', 'ben', 'cem', 'dan', 'eve']
    node.grant(...players.flatMap((player) => [trackOf(player, 'camera'), trackOf(player, 'microphone')]))
    await clock.advance(50)
    expect(node.of('consume').map(({ track }) => track)).toEqual([
      ...players.map((player) => `${player} microphone`),
      'ann camera',
    ])
    node.holds = []
    node.release()
    await clock.advance(100)
    expect(node.of('consume')).toHaveLength(10)
    expect(node.of('resume')).toHaveLength(10)
  })

  test('a newer track of the same source takes the place of the one that is kept', async () => {
    const { node, rtc, faceOf, clock } = await joined(trackOf('ben', 'camera'))
    node.grant()
    node.grant(trackOf('ben', 'camera', { track: 'ben again' }))
    await clock.advance(50)
    expect(rtc.peer.receivers.map(({ closed }) => closed)).toEqual([true, false])
    expect(faceOf('ben')).toEqual(['ben again'])
  })

  test('what the server would not give is asked for again while it is granted, ever more slowly', async () => {
    const { node, clock, faceOf } = await joined()
    node.refuse = (method) => (method === 'consume' ? new MadangError('forbidden', 'not yet') : null)
    node.grant(trackOf('ben', 'camera'))
    await clock.advance(60_000)
    const asked = node.of('consume').length
    expect(asked).toBeGreaterThan(5)
    expect(asked).toBeLessThan(60)
    node.refuse = () => null
    await clock.advance(6_000)
    expect(faceOf('ben')).toEqual(['ben camera'])
    node.grant()
    const before = node.of('consume').length
    await clock.advance(20_000)
    expect(node.of('consume').length).toBe(before)
  })

  test('a screen and its sound have a stream of their own, and what is muted says so', async () => {
    const { media, faceOf } = await joined(
      trackOf('ben', 'screen'),
      trackOf('ben', 'screen-audio'),
      trackOf('ben', 'microphone', { muted: true }),
    )
    const ben = media.streams.current.get('ben')
    expect(faceOf('ben')).toEqual(['ben microphone'])
    expect(
      ben?.screen
        ?.getTracks()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['ben screen', 'ben screen-audio'])
    expect([...(ben?.muted ?? [])]).toEqual(['microphone'])
  })

  test('its quality is marked by what was lost and how long the picture stood', async () => {
    const { media, rtc, clock } = await joined(trackOf('ben', 'camera'))
    const [receiver] = rtc.peer.receivers
    if (!receiver) throw new Error('nothing is received')
    const count = { bytes: 0, packets: 0, packetsLost: 0, framesDecoded: 0, frameWidth: 0, frameHeight: 0, frozen: 0 }
    const quality = async (change: Partial<typeof count>): Promise<unknown> => {
      receiver.counted = { ...count, audioEnergy: 0, ...receiver.counted, ...change }
      await clock.advance(3_000)
      return media.streams.current.get('ben')?.quality
    }
    expect(await quality({})).toBe(null)
    expect(await quality({ packets: 100, framesDecoded: 90 })).toBe('good')
    expect(await quality({ packets: 200, framesDecoded: 180, packetsLost: 6 })).toBe('fair')
    expect(await quality({ packets: 300, framesDecoded: 270, frozen: 1 })).toBe('poor')
    expect(await quality({ packets: 400, framesDecoded: 360 })).toBe('good')
    expect(await quality({})).toBe('poor')
  })

  test('who speaks is shown, and is silent where the word of the silence was lost', async () => {
    const { node, media, clock } = await joined(...BEN)
    node.note('media.speaking', { players: { ben: 0.5 } })
    expect([...media.speaking.current]).toEqual([['ben', 0.5]])
    await clock.advance(6_000)
    expect(media.speaking.current.size).toBe(0)
  })
})

describe('tiles', () => {
  test('a layer is asked for by the width of the tile, once it settled, and not again near a limit', async () => {
    const { node, media, clock, rtc } = await joined(trackOf('ben', 'camera'))
    const layers = (): unknown[] => node.of('layers').map(({ spatial }) => spatial)
    media.show('ben', 'camera', 300)
    await clock.advance(20)
    rtc.peer.receivers[0]?.track.dispatchEvent(new Event('unmute'))
    expect(layers()).toEqual([0])
    for (const width of [500, 600, 700]) media.show('ben', 'camera', width)
    await clock.advance(300)
    expect(layers()).toEqual([0, 1])
    media.show('ben', 'camera', 800)
    await clock.advance(300)
    media.show('ben', 'camera', 360)
    await clock.advance(300)
    expect(layers()).toEqual([0, 1])
    media.show('ben', 'camera', 1_280)
    await clock.advance(300)
    expect(layers()).toEqual([0, 1, 2])
  })

  test('a camera begins with its smallest layer, so that the first picture comes soonest, however large the tile is', async () => {
    const { node, media, clock, rtc } = await joined(trackOf('ben', 'camera'))
    const layers = (): unknown[] => node.of('layers').map(({ spatial }) => spatial)
    media.show('ben', 'camera', 1_280)
    await clock.advance(300)
    expect(layers()).toEqual([0])
    rtc.peer.receivers[0]?.track.dispatchEvent(new Event('unmute'))
    await clock.advance(20)
    expect(layers()).toEqual([0, 2])
  })

  test('what nobody looks at is suspended after a short while, and resumed at once', async () => {
    const { node, media, clock } = await joined(trackOf('ben', 'camera'))
    media.show('ben', 'camera', 300)
    media.show('ben', 'camera', 0)
    await clock.advance(500)
    media.show('ben', 'camera', 300)
    await clock.advance(2_000)
    expect(node.of('suspend')).toEqual([])
    media.show('ben', 'camera', 0)
    await clock.advance(1_100)
    expect(node.of('suspend')).toHaveLength(1)
    const before = node.of('resume').length
    media.show('ben', 'camera', 300)
    await clock.advance(20)
    expect(node.of('resume')).toHaveLength(before + 1)
  })

  test('what is off screen from the beginning is never resumed, whenever it was said', async () => {
    const { node, media, clock, until } = video()
    media.show('ben', 'camera', 0)
    node.grant(...BEN)
    await until(media.join())
    await clock.advance(2_000)
    expect(node.of('resume').map(({ consumer }) => consumer)).toEqual(['consumer of ben microphone'])
  })
})

describe('what is published', () => {
  test('joins, is shown at once, and resolves when the server has it', async () => {
    const { media, node, rtc, until } = video()
    const camera = new TestTrack('video')
    await until(media.publish({ camera, screen: undefined }))
    expect([...media.mine.current]).toEqual([['camera', { track: camera, muted: false, unseen: false }]])
    expect(node.of('produce')).toMatchObject([{ kind: 'video', source: 'camera', muted: false }])
    expect(rtc.peer.senders.map(({ track, flows }) => [track, flows])).toEqual([[camera, true]])
  })

  test('what nobody may receive is not sent, and goes on when it is seen', async () => {
    const { media, node, rtc, clock } = await published()
    node.hide('camera')
    expect(media.mine.current.get('camera')?.unseen).toBe(true)
    expect(rtc.peer.senders.map(({ flows }) => flows)).toEqual([true, false])
    await clock.advance(20)
    node.hide()
    expect(rtc.peer.senders.map(({ flows }) => flows)).toEqual([true, true])
    expect(media.mine.current.get('camera')?.unseen).toBe(false)
  })

  test('what nobody may receive from the beginning is known once it is made', async () => {
    const { media, node, rtc, until } = await joined()
    node.hide('camera')
    await until(media.publish({ camera: new TestTrack('video') }))
    expect(media.mine.current.get('camera')?.unseen).toBe(true)
    expect(rtc.peer.senders.map(({ flows }) => flows)).toEqual([false])
  })

  test('muting silences before anybody was asked, and stays whatever the rules show', async () => {
    const { media, node, rtc, microphone, until } = await published()
    const muting = media.mute('microphone', true)
    expect(microphone.enabled).toBe(false)
    expect(rtc.peer.senders[0]?.flows).toBe(false)
    expect(node.of('mute')).toEqual([])
    await until(muting)
    expect(node.of('mute')).toEqual([{ track: 'own-1', muted: true }])
    node.hide('microphone')
    node.hide()
    expect(rtc.peer.senders[0]?.flows).toBe(false)
    await until(media.mute('microphone', false))
    expect(microphone.enabled).toBe(true)
    expect(rtc.peer.senders[0]?.flows).toBe(true)
  })

  test('what was muted before begins muted', async () => {
    const { media, node, until } = video()
    await until(media.mute('microphone', true))
    const microphone = new TestTrack('audio')
    await until(media.publish({ microphone }))
    expect(node.of('produce')).toMatchObject([{ muted: true }])
    expect(microphone.enabled).toBe(false)
  })

  test('a source that is published again goes on with the new track, without a word to the others', async () => {
    const { media, node, rtc, camera, until } = await published()
    const other = new TestTrack('video', 'other')
    await until(media.publish({ camera: other }))
    expect(rtc.peer.senders[1]?.track).toBe(other)
    expect(node.of('produce')).toHaveLength(2)
    camera.end()
    expect(media.mine.current.get('camera')?.track).toBe(other)
  })

  test('a track that ends by itself is unpublished', async () => {
    const { media, node, rtc, camera, clock } = await published()
    camera.end()
    expect([...media.mine.current.keys()]).toEqual(['microphone'])
    expect(rtc.peer.senders[1]?.closed).toBe(true)
    await clock.advance(20)
    expect(node.of('close')).toEqual([{ track: 'own-2' }])
  })

  test('what is unpublished while the server makes it is closed there', async () => {
    const { media, node, rtc, clock } = await joined()
    node.holds = ['produce']
    const failed = refusal(media.publish({ camera: new TestTrack('video') }))
    await clock.advance(20)
    await media.unpublish('camera')
    expect(await failed).toMatchObject({ code: 'conflict' })
    node.release()
    await clock.advance(20)
    expect(rtc.peer.senders.map(({ closed }) => closed)).toEqual([true])
    expect(node.of('close')).toEqual([{ track: 'own-1' }])
  })

  test('where another page takes over, it goes, and does not come back with the next peer', async () => {
    const { media, node, rtc, clock } = await published()
    node.takeOver('camera')
    expect([...media.mine.current.keys()]).toEqual(['microphone'])
    expect(rtc.peer.senders[1]?.closed).toBe(true)
    node.note('media.moved', null)
    await clock.advance(100)
    expect(rtc.peers).toHaveLength(2)
    expect(rtc.peer.senders.map(({ track }) => track.kind)).toEqual(['audio'])
  })

  test('spectators are refused, and publish once they are players', async () => {
    const { media, node, rtc, device, until } = video()
    node.plays = device.plays = false
    const camera = new TestTrack('video')
    expect(await until(refusal(media.publish({ camera })))).toMatchObject({ code: 'forbidden' })
    expect(media.mine.current.size).toBe(0)
    expect(media.state.current).toEqual({ status: 'live' })
    node.plays = device.plays = true
    await until(media.publish({ camera }))
    expect(rtc.peers).toHaveLength(2)
    expect(rtc.peer.senders).toHaveLength(1)
  })

  test('what the server refuses for good is not published, and the rest is', async () => {
    const { media, node, until } = await joined()
    node.refuse = (method) => (method === 'produce' ? new MadangError('forbidden', 'no cameras here') : null)
    expect(await until(refusal(media.publish({ camera: new TestTrack('video') })))).toMatchObject({
      code: 'forbidden',
      message: 'no cameras here',
    })
    expect(media.mine.current.size).toBe(0)
    node.refuse = () => null
    await until(media.publish({ microphone: new TestTrack('audio') }))
    expect([...media.mine.current.keys()]).toEqual(['microphone'])
  })

  test('a track of the wrong kind, or one that has ended, is refused before anything is done', async () => {
    const { media, node, until } = video()
    const ended = new TestTrack('video')
    ended.stop()
    for (const tracks of [{ camera: new TestTrack('audio') }, { camera: ended, microphone: new TestTrack('audio') }])
      expect(await until(refusal(media.publish(tracks)))).toMatchObject({ code: 'invalid_payload' })
    expect(media.mine.current.size).toBe(0)
    expect(node.calls).toEqual([])
  })
})

describe('recovery', () => {
  test('a room that moved is joined again at once; the same is published, and shown in the same streams', async () => {
    const { media, node, rtc, clock, until, microphone } = await published()
    node.grant(...BEN)
    await clock.advance(50)
    await until(media.mute('microphone', true))
    const stream = media.streams.current.get('ben')?.stream
    const statuses: string[] = []
    media.state.subscribe(({ status }) => statuses.push(status))
    node.note('media.moved', null)
    expect(media.streams.current.size).toBe(0)
    expect(stream?.getTracks()).toEqual([])
    expect([...media.mine.current.keys()]).toEqual(['microphone', 'camera'])
    await clock.advance(100)
    expect(statuses).toEqual(['reconnecting', 'live'])
    expect(rtc.peers.map(({ closed }) => closed)).toEqual([true, false])
    expect(rtc.peer.senders.map(({ track, flows }) => [track.kind, flows])).toEqual([
      ['audio', false],
      ['video', true],
    ])
    expect(
      node
        .of('produce')
        .slice(2)
        .map(({ muted }) => muted),
    ).toEqual([true, false])
    expect(microphone.enabled).toBe(false)
    expect(media.streams.current.get('ben')?.stream).toBe(stream)
    expect(stream?.getTracks()).toHaveLength(2)
  })

  test('a peer that the server forgot is noticed by the pulse, and at once when the session is back', async () => {
    const { node, rtc, clock, session } = await joined(...BEN)
    node.forget()
    await clock.advance(5_100)
    expect(rtc.peers).toHaveLength(2)
    await clock.advance(20_000)
    node.forget()
    session.set({ status: 'reconnecting' })
    session.set({ status: 'online' })
    await clock.advance(50)
    expect(rtc.peers).toHaveLength(3)
  })

  test('peers that do not last follow each other ever more slowly', async () => {
    const { node, rtc, clock } = await joined()
    const ends: number[] = []
    for (let n = 0; n < 8; n++) {
      const peers = rtc.peers.length
      node.note('media.moved', null)
      await clock.runUntil(() => rtc.peers.length > peers)
      ends.push(clock.now())
      await clock.advance(10)
    }
    const [first = 0, ...later] = ends
    expect((later.at(-1) ?? 0) - first).toBeGreaterThan(1_000)
  })

  test('while the worker is prepared its progress is shown, for as long as it takes', async () => {
    const { media, node, clock, until } = video()
    let progress = 0
    node.refuse = () => new MadangError('unavailable', 'video is being prepared', { preparing: true, progress })
    const join = media.join()
    await until(
      new Promise<void>((resolve) => media.state.subscribe(({ status }) => status === 'preparing' && resolve())),
    )
    progress = 0.5
    await clock.advance(120_000)
    expect(media.state.current).toEqual({ status: 'preparing', progress: 0.5 })
    node.refuse = () => null
    await until(join)
    expect(media.state.current).toEqual({ status: 'live' })
  })

  test('without any media node a first join fails after half a minute, and can be tried again', async () => {
    const { media, node, clock, until } = video()
    node.refuse = () => new MadangError('unavailable', 'no media node')
    const started = clock.now()
    expect(await until(refusal(media.publish({ camera: new TestTrack('video') })))).toMatchObject({
      code: 'unavailable',
    })
    expect(clock.now() - started).toBeGreaterThanOrEqual(30_000)
    expect(media.state.current).toMatchObject({ status: 'failed', error: { message: 'no media node' } })
    expect(media.mine.current.size).toBe(0)
    node.refuse = () => null
    await until(media.join())
    expect(media.state.current).toEqual({ status: 'live' })
  })

  test('what was live waits for a media node however long it takes', async () => {
    const { media, node, clock, rtc } = await published()
    node.refuse = () => new MadangError('unavailable', 'no media node')
    node.note('media.moved', null)
    await clock.advance(600_000)
    expect(media.state.current).toEqual({ status: 'reconnecting' })
    expect(media.mine.current.size).toBe(2)
    node.refuse = () => null
    await clock.advance(6_000)
    expect(media.state.current).toEqual({ status: 'live' })
    expect(rtc.peer.senders).toHaveLength(2)
  })

  test('what breaks within the server is tried again', async () => {
    const { media, node, clock } = await published()
    node.refuse = () => new MadangError('internal', 'oh no')
    await clock.advance(6_000)
    expect(media.state.current).toEqual({ status: 'live' })
    node.note('media.moved', null)
    await clock.advance(10_000)
    expect(media.state.current).toEqual({ status: 'reconnecting' })
    node.refuse = () => null
    await clock.advance(6_000)
    expect(media.state.current).toEqual({ status: 'live' })
  })

  test('whom the server will not have hears why, and all of it ends', async () => {
    const { media, node, clock, rtc } = await published()
    node.refuse = () => new MadangError('not_member', 'you are not in the room')
    await clock.advance(6_000)
    expect(media.state.current).toMatchObject({ status: 'failed', error: { code: 'not_member' } })
    expect(media.mine.current.size).toBe(0)
    expect(rtc.peer.closed).toBe(true)
  })

  test('a path that breaks off is given two seconds, then restarted', async () => {
    const { media, rtc, clock, node } = await joined(...BEN)
    rtc.peer.is('receive', 'connected')
    rtc.peer.is('receive', 'disconnected')
    await clock.advance(1_900)
    rtc.peer.is('receive', 'connected')
    await clock.advance(5_000)
    expect(node.of('restart')).toEqual([])
    rtc.peer.is('receive', 'disconnected')
    await clock.advance(2_100)
    expect(node.of('restart')).toEqual([{ transport: 'peer-1 receive' }])
    expect(rtc.peer.restarts).toEqual(['receive'])
    expect(media.state.current).toEqual({ status: 'reconnecting' })
    rtc.peer.is('receive', 'connected')
    expect(media.state.current).toEqual({ status: 'live' })
    expect(rtc.peers).toHaveLength(1)
  })

  test('a path that failed is restarted at once, three times, then the room is joined again', async () => {
    const { rtc, clock, node } = await joined(...BEN)
    rtc.peer.is('receive', 'connected')
    rtc.peer.is('receive', 'failed')
    await clock.advance(20)
    expect(node.of('restart')).toHaveLength(1)
    await clock.advance(20_000)
    expect(node.of('restart')).toHaveLength(3)
    expect(rtc.peers).toHaveLength(1)
    await clock.advance(5_000)
    expect(rtc.peers).toHaveLength(2)
  })

  test('when the network is back, both paths are restarted; without one, none is', async () => {
    const { rtc, clock, node, device } = await published()
    rtc.peer.is('send', 'connected')
    rtc.peer.is('receive', 'connected')
    device.online = false
    device.look()
    rtc.peer.is('send', 'failed')
    await clock.advance(60_000)
    expect(node.of('restart')).toEqual([])
    device.online = true
    device.look()
    await clock.advance(20)
    expect(rtc.peer.restarts.sort()).toEqual(['receive', 'send'])
    rtc.peer.is('send', 'connected')
    await clock.advance(20_000)
    expect(rtc.peer.restarts).toHaveLength(2)
  })
})

describe('leaving', () => {
  test('ends everything here at once, tells the server, and may be followed by another join', async () => {
    const { media, node, rtc, clock, until, camera } = await published()
    node.grant(...BEN)
    await clock.advance(50)
    const left = media.leave()
    expect(media.state.current).toEqual({ status: 'off' })
    expect([media.mine.current.size, media.streams.current.size]).toEqual([0, 0])
    expect(rtc.peer.closed).toBe(true)
    const again = media.publish({ camera })
    await until(left)
    await until(again)
    const methods = node.calls.map(([method]) => method)
    expect(methods.filter((method) => method === 'join' || method === 'leave')).toEqual(['join', 'leave', 'join'])
    expect(media.mine.current.size).toBe(1)
  })

  test('while it is joined makes the join fail, and no peer is left', async () => {
    const { media, node, clock, until } = video()
    node.holds = ['join']
    const failed = refusal(media.join())
    await until(new Promise<void>((resolve) => media.state.subscribe(() => resolve())))
    await clock.advance(10)
    const left = media.leave()
    expect(await failed).toMatchObject({ code: 'conflict' })
    node.release()
    await until(left)
    expect(node.calls.at(-1)?.[0]).toBe('leave')
    expect(media.state.current).toEqual({ status: 'off' })
  })

  test('nothing happens where nothing was begun', async () => {
    const { media, node } = video()
    await media.leave()
    await media.unpublish('camera')
    media.show('ben', 'camera', 0)
    expect(await media.stats()).toEqual({ send: [], receive: [] })
    const meanwhile = refusal(media.join())
    await media.leave()
    expect(await meanwhile).toMatchObject({ code: 'conflict' })
    expect(node.calls).toEqual([])
  })

  test('a room that closes ends it for good, and nothing is left running', async () => {
    const { media, clock, until, rtc, node } = await published()
    media.close(new MadangError('not_member', 'you left the room'))
    expect(media.state.current).toEqual({ status: 'off' })
    expect(media.mine.current.size).toBe(0)
    expect(rtc.peer.closed).toBe(true)
    expect(await until(refusal(media.join()))).toMatchObject({ code: 'not_member' })
    const calls = node.calls.length
    await clock.advance(60_000)
    expect(node.calls.length).toBe(calls)
    expect(clock.timers).toBe(0)
  })
})

test('the figures of both sides are told per track', async () => {
  const { media, node, rtc, clock, until } = await published()
  node.grant(trackOf('ben', 'camera'))
  await clock.advance(50)
  const [receiver] = rtc.peer.receivers
  if (!receiver) throw new Error('nothing is received')
  const moving = { framesDecoded: 7, frameWidth: 320, frameHeight: 180, frozen: 0, audioEnergy: 0 }
  receiver.counted = { bytes: 400, packets: 4, packetsLost: 1, ...moving }
  receiver.track.dispatchEvent(new Event('unmute'))
  const { send, receive } = await until(media.stats())
  expect(send.map(({ source, bytes, server }) => [source, bytes, server?.bytes])).toEqual([
    ['microphone', 1_000, 900],
    ['camera', 1_000, 900],
  ])
  expect(receive).toMatchObject([
    { player: 'ben', source: 'camera', granted: true, bytes: 400, framesDecoded: 7, server: { bytes: 500, score: 10 } },
  ])
  const { asked, ready, arrived } = receive[0]?.timing ?? {}
  expect(asked).toBeLessThan(ready ?? 0)
  expect(arrived).toBeGreaterThanOrEqual(ready ?? 0)
})
