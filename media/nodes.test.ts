import { observer } from 'mediasoup'
import type { DirectTransport, PipeTransport, Producer, Transport } from 'mediasoup/types'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { Bus } from '../bus/bus.ts'
import { localBus } from '../bus/local.ts'
import type { Message } from '../bus/messages.ts'
import { virtualClock } from '../test/virtual-clock.ts'
import { Client } from './testing/client.ts'
import { type DirectLinks, rtpParametersOf, videoPacket } from './testing/direct.ts'
import { closed, open, playerOf, type StandInEngine, spectatorOf } from './testing/engine.ts'
import { endAll, startNodes } from './testing/node.ts'

const SOON = { timeout: 20_000, interval: 20 }

/** Every end of a pipe. */
let pipes: PipeTransport[] = []
let pipedProducers: Producer[] = []
/** Of clients that publish. */
let keyFramesAsked = 0

const isDirect = (transport: Transport): transport is DirectTransport => transport.type === 'direct'
/** A picture loss indication (RFC 4585, 6.3.1). */
const asksForKeyFrame = (packet: Buffer) => packet[1] === 206 && ((packet[0] ?? 0) & 0x1f) === 1
const isPipe = (transport: Transport): transport is PipeTransport => transport.type === 'pipe'

observer.on('newworker', (worker) =>
  worker.observer.on('newrouter', (router) =>
    router.observer.on('newtransport', (transport) => {
      if (isDirect(transport))
        transport.on('rtcp', (packet) => {
          if (asksForKeyFrame(packet)) keyFramesAsked++
        })
      if (!isPipe(transport)) return
      pipes.push(transport)
      transport.observer.on('newproducer', (producer) => pipedProducers.push(producer))
    }),
  ),
)
beforeEach(() => {
  pipes = []
  pipedProducers = []
  keyFramesAsked = 0
})
afterEach(endAll)

/** A bus that treats what passes between media nodes as it is told to: how many times each message is delivered. */
const busThat = (copies: (message: Message) => number): Bus => {
  const bus = localBus()
  return {
    ...bus,
    publish(subject, message) {
      const isBetween = message.kind === 'media-part' || message.kind === 'media-levels'
      for (let n = isBetween ? copies(message) : 1; n > 0; n--) bus.publish(subject, message)
    },
  }
}

/** ann is at home, at m1; bob and the spectator sam are at m2. All see and hear all. */
const spread = async (bus?: Bus) => {
  const { engine, nodes, clock } = startNodes(['m1', 'm2'], bus === undefined ? {} : { bus })
  const [home, other] = nodes
  if (home === undefined || other === undefined) throw new Error('no nodes')
  for (const player of ['bob', 'sam']) engine.place(player, 'm2')
  await engine.lease(open('ann', 'bob'))
  const [ann, bob, sam] = [playerOf('ann'), playerOf('bob'), spectatorOf('sam')].map((who) => new Client(engine, who))
  if (ann === undefined || bob === undefined || sam === undefined) throw new Error('nobody')
  for (const client of [ann, bob, sam]) await client.join()
  return { engine, clock, home, other, ann, bob, sam }
}

/** Resolves once this client knows of the track. */
const shown = (client: Client, track: string) =>
  vi.waitFor(() => expect(client.states.at(-1)?.tracks.map(({ track: id }) => id)).toContain(track), SOON)

/** Resolves once a packet that is pushed now, or one of the next, has come out of the consumer. */
const flows = async (from: DirectLinks, track: string, to: DirectLinks, consumer: string) => {
  const before = to.received(consumer)
  await vi.waitFor(() => {
    from.push(track)
    expect(to.received(consumer)).toBeGreaterThan(before)
  }, SOON)
}

/** ann's camera comes to bob, and his voice to her: `flow` resolves once packets of both have. */
const face = async () => {
  const two = await spread()
  const { home, other, ann, bob } = two
  const [camera, voice] = [await ann.publish('camera'), await bob.publish('microphone')]
  await Promise.all([shown(bob, camera), shown(ann, voice)])
  const [seen, heard] = [await bob.watch(camera), await ann.watch(voice)]
  const flow = async () => {
    await flows(home.links, camera, other.links, seen)
    await flows(other.links, voice, home.links, heard)
  }
  await flow()
  return { ...two, camera, voice, seen, heard, flow }
}

const pipedBytes = async () =>
  (await Promise.all(pipes.map((pipe) => pipe.getStats())))
    .flat()
    .reduce((sum, { rtpBytesSent }) => sum + rtpBytesSent, 0)

/** Pushes packets, and waits until they are out of the worker that they came into. */
const push = async (from: DirectLinks, tracks: readonly string[]) => {
  for (let i = 0; i < 20; i++) for (const track of tracks) from.push(track)
  await from.drained()
}

test('what is published at one node of a room is shown and received at each other, over one encrypted pipe', async () => {
  const { home, other, ann, bob, sam } = await spread()
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
  expect(pipes).toHaveLength(2)
  for (const pipe of pipes) expect(await pipe.dump()).toHaveProperty('srtpParameters.keyBase64')
  expect(home.node.counts()).toMatchObject({ producers: 1, consumers: 1 })
  expect(other.node.counts()).toMatchObject({ producers: 1, consumers: 2 })
  await ann.call('mute', { track: camera, muted: true })
  await vi.waitFor(() => expect(bob.states.at(-1)?.tracks).toMatchObject([{ track: camera, muted: true }]), SOON)
  await ann.call('close', { track: camera })
  await vi.waitFor(() => expect(bob.states.at(-1)?.tracks).toEqual([]), SOON)
  expect(other.node.counts().consumers).toBe(0)
})

test('the policy holds at every node: what it takes away flows at none, nor through the pipe, and comes back with it', async () => {
  const { engine, home, other, camera, voice, seen, heard, flow } = await face()
  await engine.lease(closed('ann', 'bob'))
  await vi.waitFor(async () => {
    const before = await pipedBytes()
    await push(home.links, [camera])
    await push(other.links, [voice])
    expect(await pipedBytes()).toBe(before)
  }, SOON)
  const before = [other.links.received(seen), home.links.received(heard)]
  await push(home.links, [camera])
  await push(other.links, [voice])
  expect([other.links.received(seen), home.links.received(heard)]).toEqual(before)
  await engine.lease(open('ann', 'bob'))
  await flow()
})

test('a track that nobody at any node may receive is paused where it is published; what a policy gives back flows again without a call', async () => {
  const { engine, home, other, ann, bob } = await spread()
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
  const { engine, home, other, ann, bob } = await spread()
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
    const before = await pipedBytes()
    await flows(home.links, camera, home.links, near)
    await push(home.links, [camera])
    expect(await pipedBytes()).toBe(before)
  }, SOON)
  const before = other.links.received(far)
  await flows(home.links, camera, home.links, near)
  await push(home.links, [camera])
  expect(other.links.received(far)).toBe(before)
})

test('nothing goes through the pipe that nobody at the other node wants', async () => {
  const { home, other, ann, bob } = await spread()
  const camera = await ann.publish('camera')
  await shown(bob, camera)
  const seen = await bob.watch(camera)
  await flows(home.links, camera, other.links, seen)
  const stops = () =>
    vi.waitFor(async () => {
      const before = await pipedBytes()
      await push(home.links, [camera])
      expect(await pipedBytes()).toBe(before)
    }, SOON)
  await bob.call('suspend', { consumer: seen })
  await stops()
  await bob.call('resume', { consumer: seen })
  await flows(home.links, camera, other.links, seen)
  await bob.call('leave')
  await stops()
})

test('all layers of a camera come to the other node, so that each viewer there gets the one that fits', async () => {
  const { home, ann, bob } = await spread()
  const ssrcs = [5_001, 5_002]
  const rtpParameters = { ...rtpParametersOf('video', 1), encodings: ssrcs.map((ssrc) => ({ ssrc })) }
  const produced = await ann.call('produce', { kind: 'video', source: 'camera', rtpParameters })
  const { track } = z.object({ track: z.string() }).parse(produced)
  await shown(bob, track)
  await bob.watch(track)
  const come = pipedProducers.filter(({ id }) => id === track)
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
  const { home, ann, bob, other } = await spread()
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
    const before = keyFramesAsked
    await bob.call('resume', { consumer: seen })
    await vi.waitFor(() => {
      home.links.push(track)
      expect(keyFramesAsked).toBeGreaterThan(before)
    }, SOON)
  }
})

test('a far track that is hidden and one that does not exist are the same refusal', async () => {
  const { engine, ann, sam } = await spread()
  const camera = await ann.publish('camera')
  await shown(sam, camera)
  await engine.lease({ ...open('ann', 'bob'), spectators: { see: ['bob'], hear: [] } })
  const ask = (track: string) => engine.call(sam.who, 'consume', { track, rtpCapabilities: { codecs: [] } })
  const hidden = await ask(camera)
  expect(hidden).toEqual(await ask('none'))
  expect(hidden).toMatchObject({ refused: { code: 'forbidden' } })
  expect(pipes).toEqual([])
})

test('who speaks at one node is told at each to those who may hear it', async () => {
  const { engine, home, ann, bob, sam } = await spread()
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

test('a node that ends takes its own peers and tracks with it: those of the others stay', async () => {
  const { engine, home, other, ann, bob } = await spread()
  const cyd = new Client(engine, spectatorOf('cyd'))
  await cyd.join()
  const [camera, voice] = [await ann.publish('camera'), await bob.publish('microphone')]
  await Promise.all([shown(cyd, voice), shown(bob, camera)])
  const [seen, heard, far] = [await cyd.watch(camera), await cyd.watch(voice), await bob.watch(camera)]
  await flows(other.links, voice, home.links, heard)
  await flows(home.links, camera, other.links, far)
  await other.node.close()
  expect(engine.told(bob.who, 'moved')).toEqual([null])
  engine.nodes = ['m1']
  engine.place('bob', 'm1')
  await engine.lease(open('ann', 'bob'))
  await vi.waitFor(() => expect(cyd.states.at(-1)?.tracks).toMatchObject([{ track: camera }]), SOON)
  for (const { who } of [ann, cyd]) expect(engine.told(who, 'moved')).toEqual([])
  await flows(home.links, camera, home.links, seen)
  await bob.join()
  const again = await bob.publish('microphone')
  await shown(cyd, again)
  await flows(home.links, again, home.links, await cyd.watch(again))
  expect(pipes.every(({ closed: isClosed }) => isClosed)).toBe(true)
})

test('a worker of one node that dies takes its peers alone: they join again, and the pipe is made anew', async () => {
  const { engine, home, other, ann, bob } = await spread()
  const camera = await ann.publish('camera')
  await shown(bob, camera)
  await flows(home.links, camera, other.links, await bob.watch(camera))
  const join = async (client: Client) => {
    await vi.waitFor(() => expect(engine.told(client.who, 'moved')).toEqual([null]), SOON)
    await vi.waitFor(() => client.join(), SOON)
  }
  // The side that opened the pipe, and then the one that was told of it.
  process.kill(other.node.workers[0]?.pid ?? 0, 'SIGKILL')
  await join(bob)
  await flows(home.links, camera, other.links, await bob.watch(camera))
  expect(engine.told(ann.who, 'moved')).toEqual([])
  process.kill(home.node.workers[0]?.pid ?? 0, 'SIGKILL')
  await join(ann)
  const again = await ann.publish('camera')
  await shown(bob, again)
  await flows(home.links, again, other.links, await bob.watch(again))
  expect(engine.told(bob.who, 'moved')).toEqual([null])
})

test('half of the messages between nodes are lost, the others come twice: all is received all the same', async () => {
  // Not every second one: that could be the same message each time.
  let dice = 7
  const falls = () => {
    dice = Math.imul(dice, 1_103_515_245) + 12_345
    return (dice >>> 16) % 2 === 0 ? 2 : 0
  }
  const { home, other, ann, bob } = await spread(busThat(falls))
  const [camera, voice] = [await ann.publish('camera'), await bob.publish('microphone')]
  await Promise.all([shown(bob, camera), shown(ann, voice)])
  const watch = (client: Client, track: string) => vi.waitFor(() => client.watch(track), SOON)
  const [seen, heard] = await Promise.all([watch(bob, camera), watch(ann, voice)])
  await flows(home.links, camera, other.links, seen)
  await flows(other.links, voice, home.links, heard)
  expect(pipes.filter(({ closed: isClosed }) => !isClosed)).toHaveLength(2)
})

test('what comes late is not heard: a track that has ended stays ended', async () => {
  const parts: Message[] = []
  const bus = busThat((message) => {
    parts.push(message)
    return 1
  })
  const { ann, bob } = await spread(bus)
  const camera = await ann.publish('camera')
  await shown(bob, camera)
  const late = parts.findLast((part) => part.kind === 'media-part' && part.tracks.length > 0)
  await ann.call('close', { track: camera })
  await vi.waitFor(() => expect(bob.states.at(-1)?.tracks).toEqual([]), SOON)
  if (late === undefined) throw new Error('nothing was said')
  const { length } = bob.states
  bus.publish('media.m2', late)
  await bob.watch(camera).catch(() => {})
  expect(bob.states).toHaveLength(length)
})

test('while nothing comes through between the nodes, a call for a far track is answered: try again', async () => {
  let isCut = false
  const { ann, bob } = await spread(busThat(() => (isCut ? 0 : 1)))
  const camera = await ann.publish('camera')
  await shown(bob, camera)
  isCut = true
  await expect(bob.watch(camera)).rejects.toThrow('unavailable')
  isCut = false
  await bob.watch(camera)
})

const leases: { title: string; stop: (engine: StandInEngine) => void }[] = [
  { title: 'no lease for 5 s', stop: (engine) => engine.fallSilent() },
  {
    title: 'a higher epoch without a policy',
    stop: (engine) => engine.send({ epoch: 2, seq: 0, hash: 'other', policy: null, node: 'm2' }),
  },
]

test.each(leases)(
  '$title stops a node that has part of a room, and nothing more goes through the pipe to it',
  async ({ stop }) => {
    const { engine, home, other, ann, bob } = await spread()
    const camera = await ann.publish('camera')
    await shown(bob, camera)
    const seen = await bob.watch(camera)
    await flows(home.links, camera, other.links, seen)
    stop(engine)
    await vi.waitFor(async () => {
      const before = [other.links.received(seen), await pipedBytes()]
      await push(home.links, [camera])
      expect([other.links.received(seen), await pipedBytes()]).toEqual(before)
    }, SOON)
  },
)

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

test('a room that has left a node takes its peers along: they are told to join again', async () => {
  const { engine, other, bob } = await spread()
  engine.nodes = ['m1']
  engine.send({ policy: closed('ann', 'bob'), node: 'm2' })
  await vi.waitFor(() => expect(engine.told(bob.who, 'moved')).toEqual([null]), SOON)
  expect(other.node.counts().peers).toBe(0)
})

test('a node whose room loses its owner says so to all engines: after 2 s without a word, at once where the owner says so', async () => {
  const clock = virtualClock()
  const { bus, engine, nodes } = startNodes(['m1', 'm2'], { clock })
  const orphans: Message[] = []
  bus.subscribe('media-nodes', (message) => {
    if (message.kind === 'media-orphan') orphans.push(message)
  })
  await engine.lease(open('ann', 'bob'))
  const ann = new Client(engine, playerOf('ann'))
  await ann.join()
  await clock.advance(10_000)
  const { length } = orphans
  engine.fallSilent()
  await clock.advance(3_000)
  expect(orphans.slice(length)).toContainEqual({
    kind: 'media-orphan',
    node: 'm1',
    beat: expect.any(Number),
    room: 'r1',
    players: ['ann'],
  })
  expect(orphans.some((message) => message.kind === 'media-orphan' && message.node === 'm2')).toBe(false)
  expect(length).toBe(0)
  await engine.lease(open('ann', 'bob'))
  orphans.length = 0
  bus.publish('media.m1', { kind: 'media-release', room: 'r1' })
  await vi.waitFor(() => expect(orphans).toHaveLength(1), SOON)
  expect(nodes).toHaveLength(2)
})

test('an audit at any node tells what the consumers of a room carry at all of its nodes', async () => {
  const { home, other, ann, bob, sam } = await spread()
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

test('a new owner that hears of one node of the room after the other breaks nothing between them', async () => {
  const { engine, ann, bob, flow } = await face()
  engine.epoch = 2
  engine.nodes = ['m2']
  await engine.lease(open('ann', 'bob'))
  engine.nodes = ['m2', 'm1']
  await engine.lease(open('ann', 'bob'))
  await flow()
  for (const client of [ann, bob]) expect(client.states.at(-1)?.tracks).toHaveLength(1)
  expect(pipes).toHaveLength(2)
  engine.nodes = ['m2']
  await vi.waitFor(() => expect(bob.states.at(-1)?.tracks).toEqual([]), SOON)
})

test('where a node was taken out of the room and is in it again, all are told that its tracks were gone, and receive them anew', async () => {
  const { engine, home, other, ann, bob } = await spread()
  const [camera, voice] = [await ann.publish('camera'), await bob.publish('microphone')]
  await Promise.all([shown(bob, camera), shown(ann, voice)])
  await flows(home.links, camera, other.links, await bob.watch(camera))
  await flows(other.links, voice, home.links, await ann.watch(voice))
  const told = bob.states.length
  // The one that is taken out does not hear of it.
  engine.nodes = ['m1']
  await engine.lease(open('ann', 'bob'))
  await vi.waitFor(() => expect(ann.states.at(-1)?.tracks).toEqual([]), SOON)
  engine.nodes = ['m1', 'm2']
  await engine.lease(open('ann', 'bob'))
  const isGone = ({ tracks }: { tracks: readonly unknown[] }) => tracks.length === 0
  await vi.waitFor(() => expect(bob.states.slice(told).some(isGone)).toBe(true), SOON)
  await Promise.all([shown(bob, camera), shown(ann, voice)])
  const watch = (client: Client, track: string) => vi.waitFor(() => client.watch(track), SOON)
  await flows(home.links, camera, other.links, await watch(bob, camera))
  await flows(other.links, voice, home.links, await watch(ann, voice))
})
