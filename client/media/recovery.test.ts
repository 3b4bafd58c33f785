import { describe, expect, test } from 'vitest'
import { MadangError } from '../error.ts'
import { TestTrack } from '../testing/tracks.ts'
import { BEN, joined, published, video } from '../testing/video.ts'
import { refusal } from '../testing/world.ts'

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
