import { describe, expect, test } from 'vitest'
import { MadangError } from '../error.ts'
import { TestTrack } from '../testing/tracks.ts'
import { joined, published, video } from '../testing/video.ts'
import { refusal } from '../testing/world.ts'

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
