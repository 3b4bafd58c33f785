import { describe, expect, test } from 'vitest'
import { MadangError } from '../error.ts'
import { BEN, joined, trackOf } from '../testing/video.ts'

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
