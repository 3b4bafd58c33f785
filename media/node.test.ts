import { afterEach, expect, test, vi } from 'vitest'
import { virtualClock } from '../test/virtual-clock.ts'
import { TOO_MUCH_BPS } from './limits.ts'
import type { OpenLink } from './link.ts'
import type { FoundWorker } from './node.ts'
import { Client } from './testing/client.ts'
import { DirectLinks, rtpParametersOf } from './testing/direct.ts'
import { open, playerOf, spectatorOf } from './testing/engine.ts'
import { endAll, preparedWorker, startNode } from './testing/node.ts'

const SOON = { timeout: 20_000, interval: 5 }

afterEach(endAll)

const CAMERA = { kind: 'video', source: 'camera', rtpParameters: rtpParametersOf('video', 5) }
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a retry gets the answer of the first, while that is under way and after it', async () => {
  const { engine, node } = startNode()
  const ann = playerOf('ann')
  await engine.lease(open('ann', 'bob'))
  const joins = await Promise.all([engine.call(ann, 'join', {}, 1), engine.call(ann, 'join', {}, 1)])
  expect(joins[0]).toEqual(joins[1])
  const first = await engine.call(ann, 'produce', CAMERA, 2)
  expect(await engine.call(ann, 'produce', CAMERA, 2)).toEqual(first)
  expect(await engine.call(ann, 'join', {}, 1)).toEqual(joins[0])
  expect(node.counts()).toMatchObject({ peers: 1, producers: 1 })
  expect(await engine.call(ann, 'produce', CAMERA, 3)).not.toEqual(first)
})

test('a refused call may be sent again with its ref', async () => {
  const { engine } = startNode()
  const ann = playerOf('ann')
  expect(await engine.call(ann, 'produce', CAMERA, 7)).toMatchObject({ refused: { code: 'not_found' } })
  await engine.call(ann, 'join', {}, 8)
  expect(await engine.call(ann, 'produce', CAMERA, 7)).toHaveProperty('value.track')
})

test('joining again makes the peer anew: the earlier one has ended, and what it published', async () => {
  const { engine, node } = startNode()
  const ann = new Client(engine, playerOf('ann'))
  const { peer } = await ann.join()
  await ann.publish('camera')
  const again = await ann.join()
  expect(again.state).toEqual({ peer: again.peer, v: 1, tracks: [], mine: [] })
  await expect(ann.state(peer)).rejects.toThrow('not_found')
  expect(node.counts()).toMatchObject({ peers: 1, producers: 0 })
})

test('a state is told in whole when it has changed, its version rises, and a call with the present one says only that', async () => {
  const { engine } = startNode()
  const [ann, bob] = [new Client(engine, playerOf('ann')), new Client(engine, spectatorOf('bob'))]
  await engine.lease(open('ann'))
  await ann.join()
  const { peer, state } = await bob.join()
  const track = await ann.publish('microphone')
  await vi.waitFor(() => expect(bob.states).toHaveLength(1), SOON)
  const told = bob.states[0]
  const about = { track, player: 'ann', source: 'microphone', kind: 'audio', muted: false }
  expect(told).toEqual({ peer, v: state.v + 1, tracks: [about], mine: [] })
  expect(await bob.call('state', { peer, v: told?.v })).toEqual({ v: told?.v })
  expect(await bob.state(peer)).toEqual(told)
})

test('who says nothing for 15 s ends, and with it what it published; a call is a sign of life', async () => {
  const clock = virtualClock()
  const { engine, node } = startNode({ clock })
  const [ann, bob] = [new Client(engine, playerOf('ann')), new Client(engine, playerOf('bob'))]
  await ann.join()
  await ann.publish('camera')
  const { peer } = await bob.join()
  for (let s = 0; s < 15; s += 5) {
    await clock.advance(5_000)
    await bob.state(peer)
  }
  expect(node.counts()).toMatchObject({ peers: 2, producers: 1 })
  await clock.advance(1_000)
  expect(node.counts()).toMatchObject({ peers: 1, producers: 0 })
  await expect(ann.publish('camera')).rejects.toThrow('not_found')
})

test('who goes on sending far more than it was asked to stay under is put out', async () => {
  const clock = virtualClock()
  const links = new DirectLinks()
  let bitrate = TOO_MUCH_BPS
  const openLink: OpenLink = async (...to) => ({
    ...(await links.open(...to)),
    measure: async () => ({ in: bitrate, out: 0 }),
  })
  const { engine, node } = startNode({ clock, openLink })
  const ann = new Client(engine, playerOf('ann'))
  await ann.join()
  await clock.advance(9_000)
  expect(node.counts()).toMatchObject({ peers: 1, bitrateIn: TOO_MUCH_BPS })
  await ann.call('stats')
  bitrate++
  await clock.advance(4_000)
  expect(node.counts().peers).toBe(1)
  await clock.advance(2_000)
  expect(node.counts().peers).toBe(0)
})

test('members who are out of the room end at once', async () => {
  const { engine, node } = startNode()
  const [ann, bob] = [new Client(engine, playerOf('ann')), new Client(engine, playerOf('bob'))]
  await ann.join()
  await bob.join()
  engine.gone('ann')
  await expect(ann.publish('camera')).rejects.toThrow('not_found')
  expect(node.counts().peers).toBe(1)
  await bob.publish('camera')
})

test('a member whose role is another now has to join again', async () => {
  const { engine } = startNode()
  const ann = new Client(engine, playerOf('ann'))
  await ann.join()
  await expect(new Client(engine, spectatorOf('ann')).publish('camera')).rejects.toThrow('not_found')
})

test('workers start with the first peer, not before; beats say how loaded the node is', async () => {
  const clock = virtualClock()
  const { engine, node } = startNode({ clock, size: 2 })
  await engine.lease(open('ann', 'bob'))
  expect(node.workers).toEqual([])
  const [ann, bob] = [new Client(engine, playerOf('ann')), new Client(engine, playerOf('bob'))]
  await ann.join()
  await vi.waitFor(() => expect(node.workers).toHaveLength(2), SOON)
  await bob.join()
  await bob.watch(await ann.publish('camera'))
  await clock.advance(1_000)
  expect(engine.beats.at(-1)).toMatchObject({ node: 'm1', state: 'ready', load: 0.5, problem: null })
})

test('while its worker program is being prepared a node says so, in beats and to callers; then it takes calls', async () => {
  const clock = virtualClock()
  let found: FoundWorker = { is: 'preparing', progress: 0.25 }
  const { engine } = startNode({ clock, findWorker: () => found })
  const ann = playerOf('ann')
  await clock.advance(1_000)
  expect(engine.beats.at(-1)).toMatchObject({ state: 'preparing', progress: 0.25, problem: null })
  expect(await engine.call(ann, 'join')).toMatchObject({
    refused: { code: 'unavailable', detail: { preparing: true, progress: 0.25 } },
  })
  found = { is: 'failed', problem: 'no compiler' }
  await clock.advance(1_000)
  expect(engine.beats.at(-1)).toMatchObject({ state: 'failed', problem: 'no compiler' })
  expect(await engine.call(ann, 'join')).toMatchObject({ refused: { code: 'unavailable' } })
  found = preparedWorker()
  await clock.advance(1_000)
  expect(engine.beats.at(-1)).toMatchObject({ state: 'ready' })
  expect(await engine.call(ann, 'join')).toHaveProperty('value.peer')
})

test('a worker that is killed is replaced at once: its peers are told to join again, and can, and nothing flows before the policy is applied', async () => {
  const { engine, node, links } = startNode()
  const [ann, bob] = [new Client(engine, playerOf('ann')), new Client(engine, playerOf('bob'))]
  await engine.lease(open('ann', 'bob'))
  await ann.join()
  await bob.join()
  await ann.publish('camera')
  const [before] = node.workers
  process.kill(before?.pid ?? 0, 'SIGKILL')
  await vi.waitFor(() => expect(engine.told(ann.who, 'moved')).toEqual([null]), SOON)
  expect(engine.told(bob.who, 'moved')).toEqual([null])
  expect(node.counts().peers).toBe(0)
  await expect(ann.publish('camera')).rejects.toThrow('not_found')
  const { state } = await ann.join()
  expect(state.tracks).toEqual([])
  await bob.join()
  const track = await ann.publish('camera')
  const consumer = await bob.watch(track)
  links.push(track)
  await links.drained()
  expect(links.received(consumer)).toBe(1)
  expect(node.workers.map(({ pid }) => pid)).not.toContain(before?.pid)
})

test('calls that are under way when their worker dies are answered', async () => {
  const { engine, node } = startNode()
  const clients = Array.from({ length: 8 }, (_, n) => new Client(engine, playerOf(`p${n}`)))
  for (const client of clients) await client.join()
  const calls = clients.flatMap(({ who }) => [1, 2, 3].map(() => engine.call(who, 'produce', CAMERA)))
  process.kill(node.workers[0]?.pid ?? 0, 'SIGKILL')
  for (const answer of await Promise.all(calls))
    if ('refused' in answer) expect(['unavailable', 'not_found']).toContain(answer.refused.code)
  await vi.waitFor(async () => expect(await engine.call(playerOf('p0'), 'join')).toHaveProperty('value'), SOON)
})

test('closing tells peers to join elsewhere, says that it drains, and ends the worker processes', async () => {
  const { engine, node } = startNode()
  const ann = new Client(engine, playerOf('ann'))
  await ann.join()
  const pids = node.workers.map(({ pid }) => pid)
  expect(pids.map(isAlive)).toEqual([true])
  await node.close()
  expect(pids.map(isAlive)).toEqual([false])
  expect(engine.told(ann.who, 'moved')).toEqual([null])
  expect(engine.beats.at(-1)).toMatchObject({ state: 'draining' })
})

test('a worker program that does not run makes the node say that it failed, and why', async () => {
  const { engine } = startNode({ findWorker: () => ({ is: 'ready', path: '/nowhere/mediasoup-worker' }) })
  expect(await engine.call(playerOf('ann'), 'join')).toMatchObject({ refused: { code: 'unavailable' } })
  await vi.waitFor(() => expect(engine.beats.at(-1)).toMatchObject({ state: 'failed' }), SOON)
  expect(engine.beats.at(-1)?.problem).toContain('ENOENT')
})
