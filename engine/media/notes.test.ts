import { expect, test } from 'vitest'
import { OP, type ServerFrame } from '../../protocol/frames.ts'
import { counter } from '../partition/testing/games.ts'
import { ScriptedClient } from '../partition/testing/gateway.ts'
import { ScriptedMediaNode } from '../partition/testing/medianode.ts'
import { Poller } from '../partition/testing/poller.ts'
import { startWorld } from '../partition/testing/start.ts'

/** ann plays on a socket, bob over HTTP, eve and fay watch on sockets; the room has a media node. */
const here = async () => {
  const { world, ann } = await startWorld(counter())
  const node = new ScriptedMediaNode('n1', world.bus, world.clock)
  const bob = new Poller(world.gateway, 'r', 'bob')
  await bob.client.join('r')
  const [eve, fay] = [world.gateway.connect('eve'), world.gateway.connect('fay')]
  await eve.join('r', { role: 'spectator' })
  await fay.join('r', { role: 'spectator' })
  await ann.call('r', 'media.join')
  await bob.poll()
  await world.clock.advance(2_000)
  await bob.poll()
  return { world, ann, bob, eve, fay, node }
}

const media = (frames: readonly ServerFrame[]) =>
  frames.flatMap((frame) => (frame[0] === OP.note && frame[2].startsWith('media.') ? [[frame[2], frame[3]]] : []))
const at = (client: { player: string; session: string }) => ({ player: client.player, session: client.session })

test('P4 private: what the node tells one session goes to that session’s connections and no others, a spectator’s too', async () => {
  const { world, ann, eve, fay, node } = await here()
  const tab = world.gateway.connect('ann')
  await tab.join('r')
  node.tell(at(ann), 'media.state', { v: 1 })
  node.tell(at(eve), 'media.state', { v: 2 })
  await world.gateway.settle()
  expect(media(ann.inbox)).toEqual([['media.state', { v: 1 }]])
  expect(media(eve.inbox)).toEqual([['media.state', { v: 2 }]])
  for (const other of [tab, fay]) expect(media(other.inbox)).toEqual([])
})

test('an SSE stream is told like a socket', async () => {
  const { world, node } = await here()
  const watcher = world.gateway.connect('eve', { session: 'a-stream-of-eve-0000' })
  await world.gateway.connect('eve', { session: watcher.session, http: true }).join('r', { role: 'spectator' })
  expect(await watcher.stream('r')).toMatchObject({ role: 'spectator' })
  node.tell(at(watcher), 'media.state', { v: 1 })
  node.tell(at(watcher), 'media.speaking', { players: {} })
  await world.gateway.settle()
  expect(media(watcher.inbox)).toEqual([
    ['media.state', { v: 1 }],
    ['media.speaking', { players: {} }],
  ])
})

test('for polls the newest of each topic is kept, and read once', async () => {
  const { world, ann, bob, node } = await here()
  for (const v of [1, 2, 3]) {
    node.tell(at(bob), 'media.state', { v })
    node.tell(at(bob), 'media.speaking', { players: { ann: v } })
  }
  node.tell(at(bob), 'media.state', { v: 4 })
  node.tell({ player: 'bob', session: 'another-of-bob-00000' }, 'media.state', { v: 9 })
  node.tell(at(ann), 'media.state', { v: 8 })
  await world.gateway.settle()
  const frames = await bob.poll()
  if (typeof frames === 'string') throw new Error(frames)
  expect(media(frames)).toEqual([
    ['media.speaking', { players: { ann: 3 } }],
    ['media.state', { v: 4 }],
  ])
  expect(await bob.poll()).toEqual([])
})

test('a poll that waits is told the state at once; who speaks waits for the next', async () => {
  const { world, bob, node } = await here()
  const held = await bob.hold()
  if (!(held instanceof ScriptedClient)) throw new Error('not held')
  node.tell(at(bob), 'media.speaking', { players: { ann: 1 } })
  await world.gateway.settle()
  expect(media(held.inbox)).toEqual([])
  node.tell(at(bob), 'media.state', { v: 1 })
  await world.gateway.settle()
  expect(media(held.inbox)).toEqual([['media.state', { v: 1 }]])
  await held.drop()
  const frames = await bob.poll()
  if (typeof frames === 'string') throw new Error(frames)
  expect(media(frames)).toEqual([['media.speaking', { players: { ann: 1 } }]])
})

test('what another node says, or of another epoch, or to who is out of the room, reaches nobody', async () => {
  const { world, ann, eve, node } = await here()
  node.tell(at(ann), 'media.state', { v: 1 }, { node: 'n2' })
  node.tell(at(ann), 'media.state', { v: 2 }, { epoch: 7 })
  node.tell(at(ann), 'media.state', { v: 3 }, { room: 'another' })
  await ann.call('r', 'kick', { player: 'eve' })
  node.tell(at(eve), 'media.state', { v: 4 })
  await world.gateway.settle()
  expect([...media(ann.inbox), ...media(eve.inbox)]).toEqual([])
})

test('that the room moved reaches every member on every transport', async () => {
  const { world, ann, bob, eve, node } = await here()
  new ScriptedMediaNode('n2', world.bus, world.clock)
  node.says({ state: 'draining' })
  await world.gateway.settle()
  for (const client of [ann, eve]) expect(media(client.inbox)).toEqual([['media.moved', null]])
  const frames = await bob.poll()
  if (typeof frames === 'string') throw new Error(frames)
  expect(media(frames)).toEqual([['media.moved', null]])
})
