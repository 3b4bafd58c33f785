import { expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import { counter } from '../partition/testing/games.ts'
import type { ScriptedClient } from '../partition/testing/gateway.ts'
import { ScriptedMediaNode } from '../partition/testing/medianode.ts'
import { startWorld } from '../partition/testing/start.ts'

/** ann, bob and cas are in a room; ann called while node was there alone, or as `loads` says. */
const onAir = async (...loads: number[]) => {
  const { world, ann } = await startWorld(counter({}))
  const [bob, cas] = [world.gateway.connect('bob'), world.gateway.connect('cas')]
  for (const client of [bob, cas]) await client.join('r')
  const nodes = [0, ...loads].map((load, n) => {
    const node = new ScriptedMediaNode(`n${n + 1}`, world.bus, world.clock)
    node.says({ load })
    return node
  })
  const [node, other, third] = nodes
  if (node === undefined) throw new Error('no node')
  await ann.call('r', 'media.join')
  return { world, ann, bob, cas, node, other: other ?? node, third: third ?? node }
}

/** The home is full, and bob is at the other node. */
const spread = async () => {
  const air = await onAir(1)
  air.node.says({ isFull: true, load: 400 })
  await air.bob.call('r', 'media.join')
  return air
}

const moved = (...clients: ScriptedClient[]) =>
  clients.map((client) => client.frames(OP.note).filter(([, , topic]) => topic === 'media.moved').length)
const callers = (node: ScriptedMediaNode) => node.calls.map(({ peer, method }) => `${peer.player} ${method}`)

test('who joins while the home is full goes to the least loaded other node: that has the policy first, and all nodes of the room know of each other', async () => {
  const { world, bob, cas, node, other, third } = await onAir(7, 3)
  node.says({ isFull: true, load: 400 })
  await bob.call('r', 'media.join')
  expect(third.heard.map(({ kind }) => kind)).toEqual(['media-lease', 'media-call'])
  expect(third.leases).toMatchObject([{ policy: { players: ['ann', 'bob', 'cas'] }, nodes: ['n1', 'n3'] }])
  expect(node.leases.at(-1)?.nodes).toEqual(['n1', 'n3'])
  await cas.call('r', 'media.join')
  expect(callers(third)).toEqual(['bob media.join', 'cas media.join'])
  await world.clock.advance(2_000)
  expect([node, third].map(({ leases }) => leases.at(-1)?.policy)).toEqual([null, null])
  expect(other.heard).toEqual([])
})

test('a player stays where it joined: its calls go there, also once the home has room again', async () => {
  const { world, ann, bob, cas, node, other } = await spread()
  node.says({ isFull: false, load: 1 })
  await world.gateway.settle()
  for (const client of [ann, bob, cas]) await client.call('r', 'media.state')
  await cas.call('r', 'media.join')
  await bob.call('r', 'media.join')
  expect(callers(node)).toEqual(['ann media.join', 'ann media.state', 'cas media.state', 'cas media.join'])
  expect(callers(other)).toEqual(['bob media.join', 'bob media.state', 'bob media.join'])
})

test('who joins ends at every other node of the room, and who is out of it at all', async () => {
  const { world, bob, cas, node, other } = await spread()
  expect(node.gone).toMatchObject([{ players: ['bob'] }])
  await cas.call('r', 'media.join')
  expect(node.gone.map(({ players }) => players)).toEqual([['bob'], ['cas']])
  expect(other.gone).toEqual([])
  await bob.leave('r')
  await world.gateway.settle()
  expect([node, other].map(({ gone }) => gone.at(-1)?.players)).toEqual([['bob'], ['bob']])
})

test('where all nodes are full, the least loaded one of the room takes who joins', async () => {
  const { cas, node, other, third } = await onAir(1, 2)
  node.says({ isFull: true, load: 900 })
  for (const at of [other, third]) at.says({ isFull: true, load: 400 })
  await cas.call('r', 'media.join')
  expect(callers(node)).toEqual(['ann media.join', 'cas media.join'])
  expect(third.heard).toEqual([])
})

test('each node of a room must acknowledge: one that does not for 2 s loses its part, whose members alone join again', async () => {
  const { world, ann, bob, cas, node, other } = await spread()
  await world.clock.advance(1_500)
  other.acks = false
  await world.clock.advance(2_600)
  expect(other.leases.at(-1)).toMatchObject({ policy: { spectators: { see: [] } }, nodes: ['n1'] })
  expect(node.leases.at(-1)?.nodes).toEqual(['n1'])
  expect(moved(ann, bob, cas)).toEqual([0, 1, 0])
  node.says({ isFull: false })
  await world.gateway.settle()
  await bob.call('r', 'media.join')
  expect(callers(node)).toEqual(['ann media.join', 'bob media.join'])
})

test('the home that is gone takes its own peers alone with it: another of the room’s nodes is its home', async () => {
  const { world, ann, bob, cas, node, other } = await spread()
  node.stop()
  await world.clock.advance(4_000)
  expect(moved(ann, bob, cas)).toEqual([1, 0, 0])
  expect(other.leases.at(-1)?.nodes).toEqual(['n2'])
  await ann.call('r', 'media.join')
  expect(callers(other)).toEqual(['bob media.join', 'ann media.join'])
})

test('a call that waits at a node which loses its part ends; one at another node goes on', async () => {
  const { world, ann, bob, node, other } = await spread()
  for (const at of [node, other]) at.onCall = () => null
  ann.send('r', [[OP.call, 71, 'r', 'media.state', {}]])
  bob.send('r', [[OP.call, 72, 'r', 'media.state', {}]])
  await world.clock.advance(1_000)
  other.stop()
  await world.clock.advance(4_000)
  expect(bob.frames(OP.err)).toEqual([[OP.err, 72, 'unavailable', expect.stringContaining('moved'), undefined]])
  expect(ann.frames(OP.err)).toEqual([])
})

test('a node where nobody is any more is given up after 30 s, and nobody is told to move', async () => {
  const { world, ann, bob, cas, node, other } = await spread()
  other.peers = 0
  await world.clock.advance(33_000)
  const { length } = other.leases
  expect(other.leases.at(-1)?.nodes).toEqual(['n1'])
  await world.clock.advance(5_000)
  expect(other.leases).toHaveLength(length)
  expect(node.leases.at(-1)?.nodes).toEqual(['n1'])
  expect(moved(ann, cas)).toEqual([0, 0])
  await bob.call('r', 'media.join')
  expect(callers(other)).toEqual(['bob media.join', 'bob media.join'])
})

test('a new owner goes on with a room where its media nodes say that it is: nobody has to join again', async () => {
  const { world, ann, bob, cas, node, other } = await spread()
  const before = node.leases[0]?.epoch ?? Number.POSITIVE_INFINITY
  await world.crash(['r'])
  for (const at of [node, other]) {
    at.says({})
    at.heard.length = 0
  }
  await world.clock.advance(500)
  node.orphan('r', 'ann')
  other.orphan('r', 'bob')
  await world.clock.advance(1_000)
  expect(await bob.call('r', 'media.state')).toEqual({ ok: 'media.state' })
  expect(await ann.call('r', 'media.state')).toEqual({ ok: 'media.state' })
  expect(callers(node)).toEqual(['ann media.state'])
  expect(callers(other)).toEqual(['bob media.state'])
  for (const { leases } of [node, other]) {
    expect(leases.at(-1)?.nodes.toSorted()).toEqual(['n1', 'n2'])
    expect(leases[0]?.epoch).toBeGreaterThan(before)
    expect(leases[0]?.policy?.players).toEqual(['ann', 'bob', 'cas'])
  }
  expect(moved(ann, bob, cas)).toEqual([0, 0, 0])
})

test('an engine that gives its rooms up says so to their media nodes', async () => {
  const { world, node, other } = await spread()
  await world.stop()
  for (const { heard } of [node, other])
    expect(heard.filter(({ kind }) => kind === 'media-release')).toEqual([{ kind: 'media-release', room: 'r' }])
})

test('who joined elsewhere meanwhile stays there: what is left of it where the room was ends', async () => {
  const { world, ann, bob, node, other } = await onAir(1)
  node.orphan('r', 'bob')
  await world.gateway.settle()
  expect(node.gone).toEqual([])
  other.orphan('r', 'ann', 'bob')
  await world.gateway.settle()
  expect(other.leases).toEqual([])
  expect(other.gone).toMatchObject([{ players: ['ann'] }, { players: ['bob'] }])
  other.orphan('r', 'ann', 'cas')
  await world.gateway.settle()
  expect(other.leases.at(-1)?.nodes).toEqual(['n1', 'n2'])
  expect(other.gone.slice(2)).toMatchObject([{ players: ['ann'] }])
  for (const client of [ann, bob]) await client.call('r', 'media.state')
  expect(callers(node)).toEqual(['ann media.join', 'ann media.state', 'bob media.state'])
})

test('a call that comes to a new owner before it knows where the room is has to wait for that, and not for ever', async () => {
  const { world, ann, bob, node, other } = await spread()
  await world.crash(['r'])
  for (const at of [node, other]) {
    at.says({})
    at.heard.length = 0
  }
  await world.clock.advance(500)
  expect(await bob.call('r', 'media.state')).toMatchObject({ err: 'unavailable' })
  other.orphan('r', 'bob')
  await world.gateway.settle()
  expect(await bob.call('r', 'media.state')).toEqual({ ok: 'media.state' })
  expect(callers(other)).toEqual(['bob media.state'])
  await world.crash(['r'])
  for (const at of [node, other]) at.says({})
  expect(await ann.call('r', 'media.state')).toMatchObject({ err: 'unavailable' })
  await world.clock.advance(3_100)
  expect(await ann.call('r', 'media.state')).toEqual({ ok: 'media.state' })
})
