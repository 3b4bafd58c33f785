import { expect, test } from 'vitest'
import type { Message } from '../../bus/messages.ts'
import { OP } from '../../protocol/frames.ts'
import { counter, gameOf } from '../partition/testing/games.ts'
import type { ScriptedClient } from '../partition/testing/gateway.ts'
import { ScriptedMediaNode } from '../partition/testing/medianode.ts'
import { startWorld } from '../partition/testing/start.ts'
import type { World } from '../partition/testing/world.ts'

/** By night, which is while the sum is odd, nobody sees or hears anybody. */
const town = () =>
  counter({
    face: `everyone: (s) => ({ sum: s.context.sum }), media: (s) => {
      if (s.context.sum === 13) throw new Error('no such hour')
      return s.context.sum % 2 === 1 ? { see: 'none', hear: 'none' } : { see: 'all', hear: 'all' }
    }`,
  })

/** ann and bob, a game in play, and a media node that ann called. */
const onAir = async (...loads: number[]) => {
  const { world, ann } = await startWorld(town())
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  const nodes = (loads.length > 0 ? loads : [0]).map((load, n) => {
    const node = new ScriptedMediaNode(`n${n + 1}`, world.bus, world.clock)
    node.says({ load })
    return node
  })
  const [node, other = node] = nodes
  if (node === undefined || other === undefined) throw new Error('no node')
  await ann.call('r', 'start')
  await ann.call('r', 'media.join')
  await world.gateway.settle()
  return { world, ann, bob, node, other }
}

/** Lets through what `passes`. */
const spy = (world: World, passes: (subject: string, message: Message) => boolean) => {
  const publish = world.bus.publish.bind(world.bus)
  world.bus.publish = (subject, message) => {
    if (passes(subject, message)) publish(subject, message)
  }
}

const notes = (client: ScriptedClient, topic: string) =>
  client.frames(OP.note).flatMap(([, , about, data]) => (about === topic ? [data] : []))
const NONE = { see: [], hear: [] }
const DAY = {
  players: ['ann', 'bob'],
  viewers: { ann: { see: ['bob'], hear: ['bob'] }, bob: { see: ['ann'], hear: ['ann'] } },
  spectators: { see: ['ann', 'bob'], hear: ['ann', 'bob'] },
}
const NIGHT = { players: ['ann', 'bob'], viewers: { ann: NONE, bob: NONE }, spectators: NONE }

test('a room is placed by its first call: its policy goes before the call', async () => {
  const { ann, bob, node } = await onAir()
  expect(node.heard.map(({ kind }) => kind)).toEqual(['media-lease', 'media-call'])
  expect(node.leases).toMatchObject([
    { room: 'r', seq: 4, policy: { players: ['ann', 'bob'], viewers: { ann: { see: ['bob'], hear: ['bob'] } } } },
  ])
  expect(node.calls).toMatchObject([
    { room: 'r', peer: { player: 'ann', session: ann.session, role: 'player' }, ref: ann.ref, method: 'media.join' },
  ])
  await bob.call('r', 'media.join')
  expect(node.heard.map(({ kind }) => kind)).toEqual(['media-lease', 'media-call', 'media-call'])
  expect(notes(ann, 'media.moved')).toEqual([])
})

test('P1 durable before visible: what a commit changes is said once it is durable, and before anything of it is shown', async () => {
  const { world, ann, node } = await onAir()
  const order: string[] = []
  spy(world, (_subject, message) => {
    if (message.kind === 'envelope' && message.items.some(({ kind }) => kind === 'output')) order.push('shown')
    if (message.kind === 'media-lease') order.push(`lease of ${message.seq}`)
    return true
  })
  world.storage.hold()
  ann.send('r', [[OP.move, ann.next(), 'r', 'add', 1]])
  await world.gateway.settle()
  expect(world.storage.waiting).toBe(1)
  expect(order).toEqual([])
  world.storage.release()
  await world.gateway.settle()
  expect(order).toEqual(['lease of 5', 'shown'])
  expect(node.leases.at(-1)).toMatchObject({ policy: NIGHT })
  await ann.move('r', 'add', 1)
  expect(node.leases.at(-1)).toMatchObject({ seq: 6, policy: DAY })
})

test('a commit that changes nothing of who sees and hears whom says nothing; the next repetition has its seq', async () => {
  const { world, ann, node } = await onAir()
  node.heard.length = 0
  await ann.move('r', 'add', 2)
  await world.gateway.settle()
  expect(node.heard).toEqual([])
  await world.clock.advance(1_000)
  expect(node.leases).toMatchObject([{ seq: 5, policy: null }])
})

test('the lease is repeated every second: whole until it is acknowledged, whole again where the node has another', async () => {
  const { world, node } = await onAir()
  await world.clock.advance(3_000)
  expect(node.leases.map(({ policy }) => policy !== null)).toEqual([true, false, false, false])
  expect(new Set(node.leases.map(({ hash }) => hash)).size).toBe(1)
  const [lease] = node.leases
  if (lease === undefined) throw new Error('no lease')
  node.ack(lease, null)
  await world.gateway.settle()
  expect(node.leases.slice(4)).toMatchObject([{ policy: DAY }])
  node.acks = false
  node.ack(lease, 'of another one')
  await world.clock.advance(1_000)
  expect(node.leases.slice(5)).toMatchObject([{ policy: DAY }])
})

test('a lost lease is made good by the next, whole, and one lost message moves no room', async () => {
  const { world, ann, node } = await onAir(0, 1)
  let isLossy = true
  spy(world, (_subject, { kind }) => !isLossy || kind !== 'media-lease')
  await ann.move('r', 'add', 1)
  await world.clock.advance(999)
  isLossy = false
  await world.clock.advance(2_000)
  expect(node.leases.slice(1)).toMatchObject([{ policy: NIGHT }, { policy: null }])
  expect(notes(ann, 'media.moved')).toEqual([])
})

test('where the rules throw everything is denied and it is reported; the next state that they answer counts again', async () => {
  const { world, ann, node } = await onAir()
  await ann.move('r', 'add', 13)
  expect(node.leases.at(-1)?.policy).toEqual(NIGHT)
  expect(world.errors()).toEqual([expect.stringContaining('no such hour')])
  await ann.move('r', 'add', 1)
  expect(node.leases.at(-1)?.policy).toEqual(DAY)
})

test('the least loaded node that is ready takes the room', async () => {
  const { node, other } = await onAir(2.5, 0.5)
  expect(node.heard).toEqual([])
  expect(other.calls).toHaveLength(1)
})

test('a node that is preparing, failed, draining or not there takes no room: what it says reaches the caller', async () => {
  const { world, ann } = await startWorld(town())
  expect(await ann.call('r', 'media.join')).toMatchObject({
    err: 'unavailable',
    message: expect.stringContaining('No media node'),
  })
  const node = new ScriptedMediaNode('n1', world.bus, world.clock)
  node.says({ state: 'preparing', progress: 0.25 })
  await world.gateway.settle()
  const detail = { preparing: true, progress: 0.25 }
  expect(await ann.call('r', 'media.join')).toMatchObject({ err: 'unavailable', detail })
  node.says({ state: 'failed', problem: 'No compiler is here.' })
  await world.gateway.settle()
  expect(await ann.call('r', 'media.join')).toMatchObject({ err: 'unavailable', message: 'No compiler is here.' })
  node.says({ state: 'draining', problem: null })
  await world.gateway.settle()
  expect(await ann.call('r', 'media.join')).toMatchObject({ err: 'unavailable' })
  expect(node.heard).toEqual([])
  node.says({ state: 'ready' })
  await world.gateway.settle()
  expect(await ann.call('r', 'media.join')).toEqual({ ok: 'media.join' })
})

test('no acknowledgement for 2 s: the room moves, the node that had it is denied everything, its members join again', async () => {
  const { world, ann, bob, node, other } = await onAir(0, 1)
  await world.clock.advance(1_500)
  node.acks = false
  const before = node.leases.length
  await world.clock.advance(2_400)
  expect(other.heard).toEqual([])
  await world.clock.advance(200)
  expect(node.leases.slice(before)).toMatchObject([{ policy: null }, { policy: null }, { policy: NIGHT }])
  expect(other.leases).toMatchObject([{ policy: DAY }])
  expect([ann, bob].map((client) => notes(client, 'media.moved'))).toEqual([[null], [null]])
  await ann.call('r', 'media.join')
  expect(other.calls).toHaveLength(1)
  await world.clock.advance(10_000)
  expect(other.leases.slice(-3)).toMatchObject([{ policy: null }, { policy: null }, { policy: null }])
  expect(notes(ann, 'media.moved')).toHaveLength(1)
})

test('a node whose beats end is gone after 3 to 4 s, also where it goes on to acknowledge: calls that wait there end', async () => {
  const { world, ann, node, other } = await onAir(0, 1)
  await world.clock.advance(1_500)
  node.onCall = () => null
  ann.send('r', [[OP.call, 70, 'r', 'media.state', {}]])
  spy(world, (_subject, message) => message.kind !== 'media-beat' || message.node !== 'n1')
  await world.clock.advance(2_400)
  expect(other.heard).toEqual([])
  await world.clock.advance(1_600)
  expect(other.leases).not.toEqual([])
  expect(ann.frames(OP.err)).toEqual([[OP.err, 70, 'unavailable', expect.stringContaining('moved'), undefined]])
})

test('a node that drains gives up its rooms at once, where another takes them; else they stay', async () => {
  const { world, ann, node, other } = await onAir(0, 1)
  node.says({ state: 'draining' })
  await world.gateway.settle()
  expect(other.leases).toHaveLength(1)
  expect(notes(ann, 'media.moved')).toEqual([null])
  other.says({ state: 'draining' })
  await world.clock.advance(5_000)
  expect(other.leases.length).toBeGreaterThan(5)
  expect(notes(ann, 'media.moved')).toEqual([null])
})

test('with no other node the room waits for its own to come back, and its members are told then', async () => {
  const { world, ann, node } = await onAir()
  node.stop()
  await world.clock.advance(5_000)
  expect(await ann.call('r', 'media.join')).toMatchObject({ err: 'unavailable' })
  expect(notes(ann, 'media.moved')).toEqual([])
  const back = new ScriptedMediaNode('n1', world.bus, world.clock)
  await world.clock.advance(1_000)
  expect(back.leases).toMatchObject([{ policy: DAY }])
  expect(notes(ann, 'media.moved')).toEqual([null])
  expect(await ann.call('r', 'media.join')).toEqual({ ok: 'media.join' })
})

test('the lease ends 30 s after the last peer; the next call places the room again', async () => {
  const { world, ann, node } = await onAir()
  await world.clock.advance(40_000)
  expect(node.leases).toHaveLength(41)
  node.peers = 0
  await world.clock.advance(31_000)
  const { length } = node.leases
  expect(length).toBe(41 + 30)
  await world.clock.advance(20_000)
  expect(node.leases).toHaveLength(length)
  node.peers = 1
  await ann.call('r', 'media.join')
  await world.clock.advance(1_000)
  expect(node.leases.slice(length)).toMatchObject([{ policy: DAY }, { policy: null }])
})

test('a room with peers does not fall asleep, one whose peers are gone does', async () => {
  const { world, ann, bob, node } = await onAir()
  await ann.drop()
  await bob.drop()
  await world.clock.advance(200_000)
  expect(world.engine.rooms.here('r')).toBeDefined()
  node.peers = 0
  await world.clock.advance(200_000)
  expect(world.engine.rooms.here('r')).toBeUndefined()
})

test('a new owner has a higher epoch, and any call leases the room again', async () => {
  const { world, ann, node } = await onAir()
  const [first] = node.leases
  await world.crash(['r'])
  node.says({})
  node.heard.length = 0
  await world.clock.advance(3_000)
  expect(node.heard).toEqual([])
  expect(await ann.call('r', 'media.state')).toEqual({ ok: 'media.state' })
  const [lease] = node.leases
  expect(lease?.epoch).toBeGreaterThan(first?.epoch ?? Number.POSITIVE_INFINITY)
  expect(lease?.policy).toEqual(DAY)
})

test('an engine that stops asks for nothing more', async () => {
  const { world, node } = await onAir()
  await world.stop()
  node.heard.length = 0
  await world.clock.advance(5_000)
  expect(node.heard).toEqual([])
})

test('a room that is read again, and is further than was known, says its policy before it shows anything', async () => {
  const { world, ann, node } = await onAir()
  const order: string[] = []
  spy(world, (_subject, message) => {
    if (message.kind === 'envelope' && message.items.some(({ kind }) => kind === 'output')) order.push('shown')
    if (message.kind === 'media-lease' && message.policy !== null) order.push(`lease of ${message.seq}`)
    return true
  })
  // The record is stored, and the store does not say so.
  world.storage.fail('stored')
  world.storage.failLast(1_000)
  ann.send('r', [[OP.move, ann.next(), 'r', 'add', 1]])
  const forgotten = world.engine.forgetPlayer('bob')
  await world.clock.advance(7_000)
  await forgotten
  expect(order).toEqual(['lease of 5', 'shown'])
  expect(node.leases.findLast(({ policy }) => policy !== null)?.policy).toEqual(NIGHT)
})

test('what a node acknowledges that does not have the room, or to another owner, counts for nothing', async () => {
  const { world, node, other } = await onAir(0, 1)
  node.acks = false
  await world.clock.advance(2_500)
  const [lease] = node.leases
  if (lease === undefined) throw new Error('no lease')
  other.ack(lease, lease.hash)
  node.ack({ ...lease, epoch: lease.epoch + 1 }, lease.hash)
  await world.clock.advance(600)
  expect(other.leases).toHaveLength(1)
})

test('a call finds a node that has come back before the next repetition does', async () => {
  const { world, ann, node } = await onAir()
  node.stop()
  await world.clock.advance(5_100)
  const back = new ScriptedMediaNode('n2', world.bus, world.clock)
  await world.gateway.settle()
  expect(await ann.call('r', 'media.join')).toEqual({ ok: 'media.join' })
  expect(back.heard.map(({ kind }) => kind)).toEqual(['media-lease', 'media-call'])
})

test('rooms that are placed between two beats are spread over nodes of the same load', async () => {
  const { world, ann, node, other } = await onAir(0, 0)
  for (const room of ['a', 'b', 'c']) {
    await ann.create(room, 'counter')
    await ann.join(room)
    await ann.call(room, 'media.join')
  }
  expect(new Set(node.calls.map(({ room }) => room)).size).toBe(2)
  expect(new Set(other.calls.map(({ room }) => room)).size).toBe(2)
  expect(world.errors()).toEqual([])
})

test('who comes, leaves, is kicked and returns is said at once, in the lobby and in play', async () => {
  const game = gameOf('plain', { machine: 'context: () => ({}), on: { add: {} }', face: 'everyone: () => ({})' })
  const { world, ann } = await startWorld(game)
  const node = new ScriptedMediaNode('n1', world.bus, world.clock)
  const players = () => node.leases.at(-1)?.policy?.players
  const [bob, cas] = [world.gateway.connect('bob'), world.gateway.connect('cas')]
  await ann.call('r', 'media.join')
  for (const client of [bob, cas]) await client.join('r')
  expect(players()).toEqual(['ann', 'bob', 'cas'])
  await cas.leave('r')
  expect(players()).toEqual(['ann', 'bob'])
  await cas.join('r')
  await ann.call('r', 'start')
  await bob.leave('r')
  expect(players()).toEqual(['ann', 'cas'])
  await bob.join('r')
  expect(players()).toEqual(['ann', 'bob', 'cas'])
  await ann.call('r', 'kick', { player: 'cas' })
  expect(players()).toEqual(['ann', 'bob'])
  expect(node.leases.at(-1)?.policy?.viewers).not.toHaveProperty('cas')
})
