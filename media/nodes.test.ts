import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { virtualClock } from '../test/virtual-clock.ts'
import { Client } from './testing/client.ts'
import { rtpParametersOf, videoPacket } from './testing/direct.ts'
import { closed, open, playerOf } from './testing/engine.ts'
import { endAll, startNodes } from './testing/node.ts'
import { pipes } from './testing/pipes.ts'
import { flows, push, SOON, shown, startFacing, startTwo } from './testing/two-nodes.ts'

beforeEach(() => pipes.forget())
afterEach(endAll)

test('what is published at one node of a room is shown and received at each other, over one encrypted pipe', async () => {
  const { home, other, ann, bob, sam } = await startTwo()
  const camera = await ann.publish('camera')
  const voice = await bob.publish('microphone')
  await Promise.all([shown(bob, camera), shown(sam, camera), shown(ann, voice)])
  expect(ann.states.at(-1)?.tracks).toEqual([
    { track: voice, player: 'bob', source: 'microphone', kind: 'audio', muted: false },
  ])
  const [seen, seenToo, heard] = await Promise.all([bob.watch(camera), sam.watch(camera), ann.watch(voice)])
  await flows(home.links, camera, other.links, seen)
  await flows(home.links, camera, other.links, seenToo)
  await flows(other.links, voice, home.links, heard)
  expect(pipes.ends).toHaveLength(2)
  for (const pipe of pipes.ends) expect(await pipe.dump()).toHaveProperty('srtpParameters.keyBase64')
  expect(home.node.counts()).toMatchObject({ producers: 1, consumers: 1 })
  expect(other.node.counts()).toMatchObject({ producers: 1, consumers: 2 })
  await ann.call('mute', { track: camera, muted: true })
  await vi.waitFor(() => expect(bob.states.at(-1)?.tracks).toMatchObject([{ track: camera, muted: true }]), SOON)
  await ann.call('close', { track: camera })
  await vi.waitFor(() => expect(bob.states.at(-1)?.tracks).toEqual([]), SOON)
  expect(other.node.counts().consumers).toBe(0)
})

test('the policy holds at every node: what it takes away flows at none, nor through the pipe, and comes back with it', async () => {
  const { engine, home, other, camera, voice, seen, heard, flow } = await startFacing()
  await engine.lease(closed('ann', 'bob'))
  await vi.waitFor(async () => {
    const before = await pipes.bytes()
    await push(home.links, [camera])
    await push(other.links, [voice])
    expect(await pipes.bytes()).toBe(before)
  }, SOON)
  const before = [other.links.received(seen), home.links.received(heard)]
  await push(home.links, [camera])
  await push(other.links, [voice])
  expect([other.links.received(seen), home.links.received(heard)]).toEqual(before)
  await engine.lease(open('ann', 'bob'))
  await flow()
})

test('a track that nobody at any node may receive is paused where it is published; what a policy gives back flows again without a call', async () => {
  const { engine, home, other, ann, bob } = await startTwo()
  const camera = await ann.publish('camera')
  await shown(bob, camera)
  const seen = await bob.watch(camera)
  await flows(home.links, camera, other.links, seen)
  for (let flip = 0; flip < 3; flip++) {
    await engine.lease(closed('ann', 'bob'))
    await vi.waitFor(() => expect(home.links.producers.get(camera)?.paused).toBe(true), SOON)
    await engine.lease(open('ann', 'bob'))
    await flows(home.links, camera, other.links, seen)
  }
})

test('a policy that takes a track from those at the other node alone stops it in the pipe, and not at home', async () => {
  const { engine, home, other, ann, bob } = await startTwo()
  const dan = new Client(engine, playerOf('dan'))
  await engine.lease(open('ann', 'bob', 'dan'))
  await dan.join()
  const camera = await ann.publish('camera')
  await shown(bob, camera)
  const [far, near] = [await bob.watch(camera), await dan.watch(camera)]
  await flows(home.links, camera, other.links, far)
  const everyone = open('ann', 'bob', 'dan')
  const nobody = { see: [], hear: [] }
  await engine.lease({ ...everyone, viewers: { ...everyone.viewers, bob: nobody }, spectators: nobody })
  await vi.waitFor(async () => {
    const before = await pipes.bytes()
    await flows(home.links, camera, home.links, near)
    await push(home.links, [camera])
    expect(await pipes.bytes()).toBe(before)
  }, SOON)
  const before = other.links.received(far)
  await flows(home.links, camera, home.links, near)
  await push(home.links, [camera])
  expect(other.links.received(far)).toBe(before)
})

test('nothing goes through the pipe that nobody at the other node wants', async () => {
  const { home, other, ann, bob } = await startTwo()
  const camera = await ann.publish('camera')
  await shown(bob, camera)
  const seen = await bob.watch(camera)
  await flows(home.links, camera, other.links, seen)
  const stops = () =>
    vi.waitFor(async () => {
      const before = await pipes.bytes()
      await push(home.links, [camera])
      expect(await pipes.bytes()).toBe(before)
    }, SOON)
  await bob.call('suspend', { consumer: seen })
  await stops()
  await bob.call('resume', { consumer: seen })
  await flows(home.links, camera, other.links, seen)
  await bob.call('leave')
  await stops()
})

test('all layers of a camera come to the other node, so that each viewer there gets the one that fits', async () => {
  const { home, ann, bob } = await startTwo()
  const ssrcs = [5_001, 5_002]
  const rtpParameters = { ...rtpParametersOf('video', 1), encodings: ssrcs.map((ssrc) => ({ ssrc })) }
  const produced = await ann.call('produce', { kind: 'video', source: 'camera', rtpParameters })
  const { track } = z.object({ track: z.string() }).parse(produced)
  await shown(bob, track)
  await bob.watch(track)
  const come = pipes.producers.filter(({ id }) => id === track)
  expect(come.map(({ type }) => type)).toEqual(['simulcast'])
  let sequence = 0
  await vi.waitFor(async () => {
    sequence++
    for (const ssrc of ssrcs) home.links.producers.get(track)?.send(videoPacket(ssrc, sequence))
    const layers = await come[0]?.getStats()
    expect(layers?.map(({ packetCount }) => packetCount > 0)).toEqual([true, true])
  }, SOON)
})

test('a viewer at the other node who begins to watch has a key frame asked of the camera', async () => {
  const { home, ann, bob, other } = await startTwo()
  const { codecs, ...rest } = rtpParametersOf('video', 5_001)
  const feedback = [{ type: 'nack', parameter: 'pli' }]
  const rtpParameters = { ...rest, codecs: codecs.map((codec) => ({ ...codec, rtcpFeedback: feedback })) }
  const produced = await ann.call('produce', { kind: 'video', source: 'camera', rtpParameters })
  const { track } = z.object({ track: z.string() }).parse(produced)
  await shown(bob, track)
  const seen = await bob.watch(track)
  await flows(home.links, track, other.links, seen)
  for (let again = 0; again < 2; again++) {
    await bob.call('suspend', { consumer: seen })
    const before = pipes.keyFramesAsked
    await bob.call('resume', { consumer: seen })
    await vi.waitFor(() => {
      home.links.push(track)
      expect(pipes.keyFramesAsked).toBeGreaterThan(before)
    }, SOON)
  }
})

test('a far track that is hidden and one that does not exist are the same refusal', async () => {
  const { engine, ann, sam } = await startTwo()
  const camera = await ann.publish('camera')
  await shown(sam, camera)
  await engine.lease({ ...open('ann', 'bob'), spectators: { see: ['bob'], hear: [] } })
  const ask = (track: string) => engine.call(sam.who, 'consume', { track, rtpCapabilities: { codecs: [] } })
  const hidden = await ask(camera)
  expect(hidden).toEqual(await ask('none'))
  expect(hidden).toMatchObject({ refused: { code: 'forbidden' } })
  expect(pipes.ends).toEqual([])
})

test('who speaks at one node is told at each to those who may hear it', async () => {
  const { engine, home, ann, bob, sam } = await startTwo()
  await engine.lease({ ...open('ann', 'bob'), spectators: { see: ['ann'], hear: [] } })
  const voice = await ann.publish('microphone')
  const timer = setInterval(() => home.links.push(voice), 20)
  try {
    await vi.waitFor(
      () => expect(engine.told(bob.who, 'speaking').at(-1)).toEqual({ players: { ann: expect.closeTo(0.65, 1) } }),
      SOON,
    )
    await vi.waitFor(() => expect(new Set(engine.speakers.map(({ node }) => node)).size).toBe(2), SOON)
  } finally {
    clearInterval(timer)
  }
  await vi.waitFor(() => expect(engine.told(bob.who, 'speaking').at(-1)).toEqual({ players: {} }), SOON)
  expect(engine.told(sam.who, 'speaking')).toEqual([])
})

test('a node says that it is full as soon as all its workers are, and that it is not as soon as one is not', async () => {
  const { engine, nodes } = startNodes(['m1'], { consumersPerWorker: 2, clock: virtualClock() })
  await engine.lease(open('ann', 'bob', 'cyd'))
  const [ann, bob, cyd] = ['ann', 'bob', 'cyd'].map((id) => new Client(engine, playerOf(id)))
  for (const client of [ann, bob, cyd]) await client?.join()
  const camera = (await ann?.publish('camera')) ?? ''
  await bob?.watch(camera)
  expect(engine.beats.at(-1)).toMatchObject({ isFull: false })
  // No time passes: this is not the next beat that was due.
  await cyd?.watch(camera)
  expect(engine.beats.at(-1)).toMatchObject({ isFull: true })
  await cyd?.call('leave')
  expect(engine.beats.at(-1)).toMatchObject({ isFull: false })
  expect(nodes[0]?.node.counts().consumers).toBe(1)
})

test('an audit at any node tells what the consumers of a room carry at all of its nodes', async () => {
  const { home, other, ann, bob, sam } = await startTwo()
  const [camera, voice] = [await ann.publish('camera'), await bob.publish('microphone')]
  await Promise.all([shown(sam, camera), shown(ann, voice)])
  await flows(home.links, camera, other.links, await sam.watch(camera))
  await ann.watch(voice)
  const audits = await Promise.all([home, other].map(({ node }) => node.audit('r1')))
  for (const rows of audits)
    expect(rows?.toSorted((a, b) => a.node.localeCompare(b.node))).toEqual([
      {
        ...{ node: 'm1', viewer: 'ann', role: 'player', player: 'bob', source: 'microphone' },
        ...{ granted: true, wanted: true, bytes: 0 },
      },
      {
        ...{ node: 'm2', viewer: 'sam', role: 'spectator', player: 'ann', source: 'camera' },
        ...{ granted: true, wanted: true, bytes: expect.any(Number) },
      },
    ])
  expect(audits[0]?.find(({ node }) => node === 'm2')?.bytes).toBeGreaterThan(0)
  expect(await home.node.audit('none')).toBe(null)
  await other.node.close()
  expect((await home.node.audit('r1'))?.map(({ node }) => node)).toEqual(['m1'])
})
