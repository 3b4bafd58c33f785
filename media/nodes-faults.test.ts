import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Bus } from '../bus/bus.ts'
import { localBus } from '../bus/local.ts'
import type { Message } from '../bus/messages.ts'
import { virtualClock } from '../test/virtual-clock.ts'
import { Client } from './testing/client.ts'
import { closed, open, playerOf, type StandInEngine, spectatorOf } from './testing/engine.ts'
import { endAll, startNodes } from './testing/node.ts'
import { pipes } from './testing/pipes.ts'
import { flows, push, SOON, shown, startFacing, startTwo } from './testing/two-nodes.ts'

beforeEach(() => pipes.forget())
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

test('a node that ends takes its own peers and tracks with it: those of the others stay', async () => {
  const { engine, home, other, ann, bob } = await startTwo()
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
  expect(pipes.ends.every(({ closed: isClosed }) => isClosed)).toBe(true)
})

test('a worker of one node that dies takes its peers alone: they join again, and the pipe is made anew', async () => {
  const { engine, home, other, ann, bob } = await startTwo()
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
  const { home, other, ann, bob } = await startTwo(busThat(falls))
  const [camera, voice] = [await ann.publish('camera'), await bob.publish('microphone')]
  await Promise.all([shown(bob, camera), shown(ann, voice)])
  const watch = (client: Client, track: string) => vi.waitFor(() => client.watch(track), SOON)
  const [seen, heard] = await Promise.all([watch(bob, camera), watch(ann, voice)])
  await flows(home.links, camera, other.links, seen)
  await flows(other.links, voice, home.links, heard)
  expect(pipes.ends.filter(({ closed: isClosed }) => !isClosed)).toHaveLength(2)
}, 60_000)

test('what comes late is not heard: a track that has ended stays ended', async () => {
  const parts: Message[] = []
  const bus = busThat((message) => {
    parts.push(message)
    return 1
  })
  const { ann, bob } = await startTwo(bus)
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
  const { ann, bob } = await startTwo(busThat(() => (isCut ? 0 : 1)))
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
    const { engine, home, other, ann, bob } = await startTwo()
    const camera = await ann.publish('camera')
    await shown(bob, camera)
    const seen = await bob.watch(camera)
    await flows(home.links, camera, other.links, seen)
    stop(engine)
    await vi.waitFor(async () => {
      const before = [other.links.received(seen), await pipes.bytes()]
      await push(home.links, [camera])
      expect([other.links.received(seen), await pipes.bytes()]).toEqual(before)
    }, SOON)
  },
)

test('a room that has left a node takes its peers along: they are told to join again', async () => {
  const { engine, other, bob } = await startTwo()
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

test('a new owner that hears of one node of the room after the other breaks nothing between them', async () => {
  const { engine, ann, bob, flow } = await startFacing()
  engine.epoch = 2
  engine.nodes = ['m2']
  await engine.lease(open('ann', 'bob'))
  engine.nodes = ['m2', 'm1']
  await engine.lease(open('ann', 'bob'))
  await flow()
  for (const client of [ann, bob]) expect(client.states.at(-1)?.tracks).toHaveLength(1)
  expect(pipes.ends).toHaveLength(2)
  engine.nodes = ['m2']
  await vi.waitFor(() => expect(bob.states.at(-1)?.tracks).toEqual([]), SOON)
})

test('where a node was taken out of the room and is in it again, all are told that its tracks were gone, and receive them anew', async () => {
  const { engine, home, other, ann, bob } = await startTwo()
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
