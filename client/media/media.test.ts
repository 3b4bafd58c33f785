import { describe, expect, test } from 'vitest'
import { MadangError } from '../error.ts'
import { BEN, published, trackOf, video } from '../testing/video.ts'
import { refusal } from '../testing/world.ts'

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
