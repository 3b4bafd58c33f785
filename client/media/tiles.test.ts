import { describe, expect, test } from 'vitest'
import { BEN, joined, trackOf, video } from '../testing/video.ts'

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
