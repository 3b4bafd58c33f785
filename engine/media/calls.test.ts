import { expect, test } from 'vitest'
import { encode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { counter } from '../partition/testing/games.ts'
import { ScriptedMediaNode } from '../partition/testing/medianode.ts'
import { Poller } from '../partition/testing/poller.ts'
import { startWorld } from '../partition/testing/start.ts'

/** ann plays, eve watches, and there is a media node. */
const here = async () => {
  const { world, ann } = await startWorld(counter())
  const node = new ScriptedMediaNode('n1', world.bus, world.clock)
  const eve = world.gateway.connect('eve')
  await eve.join('r', { role: 'spectator' })
  return { world, ann, eve, node }
}

test('the node is told who calls, in which role, with the params as they came; its answer settles the call', async () => {
  const { ann, eve, node } = await here()
  node.onCall = ({ params }) => ({ value: { got: params } })
  expect(await ann.call('r', 'media.produce', { kind: 'audio', rtp: [1, { two: 2 }] })).toEqual({
    ok: { got: { kind: 'audio', rtp: [1, { two: 2 }] } },
  })
  expect(await eve.call('r', 'media.join')).toEqual({ ok: { got: {} } })
  node.onCall = () => ({ refused: { code: 'forbidden', message: 'Not now.', detail: { why: 'night' } } })
  expect(await eve.call('r', 'media.consume', { track: 'x' })).toEqual({
    err: 'forbidden',
    message: 'Not now.',
    detail: { why: 'night' },
  })
  expect(node.calls.map(({ peer }) => peer)).toEqual([
    { player: 'ann', session: ann.session, role: 'player' },
    { player: 'eve', session: eve.session, role: 'spectator' },
    { player: 'eve', session: eve.session, role: 'spectator' },
  ])
})

test('a call is sent again each second with its id until it is answered, and is refused after 8 s', async () => {
  const { world, ann, node } = await here()
  let answers = false
  node.onCall = () => (answers ? { value: 'late' } : null)
  ann.send('r', [[OP.call, 70, 'r', 'media.join', {}]])
  await world.clock.advance(2_500)
  answers = true
  await world.clock.advance(1_000)
  expect(new Set(node.calls.map(({ id }) => id)).size).toBe(1)
  expect(node.calls).toHaveLength(4)
  expect(ann.frames(OP.ok).at(-1)).toEqual([OP.ok, 70, 'late'])
  answers = false
  ann.send('r', [[OP.call, 71, 'r', 'media.join', {}]])
  await world.clock.advance(7_999)
  expect(ann.frames(OP.err)).toEqual([])
  await world.clock.advance(1)
  expect(ann.frames(OP.err)).toEqual([[OP.err, 71, 'unavailable', expect.stringContaining('in time'), undefined]])
  const [call] = node.calls.slice(-1)
  if (call) node.answer(call, { value: 'too late' })
  await world.clock.advance(10)
  expect(ann.frames(OP.ok).flatMap(([, ref]) => (ref === 71 ? [ref] : []))).toEqual([])
})

test('P2 a request that comes again while its call waits makes no second one', async () => {
  const { world, ann, node } = await here()
  node.onCall = () => null
  const id = ann.send('r', [[OP.call, 70, 'r', 'media.join', {}]])
  await world.clock.advance(100)
  ann.send('r', [[OP.call, 70, 'r', 'media.join', {}]], id)
  await world.clock.advance(100)
  expect(node.calls).toHaveLength(1)
})

test('only the node that was called can answer, and only once', async () => {
  const { world, ann, node } = await here()
  const other = new ScriptedMediaNode('n2', world.bus, world.clock)
  other.says({ load: 9 })
  node.onCall = () => null
  ann.send('r', [[OP.call, 70, 'r', 'media.join', {}]])
  await world.clock.advance(10)
  const [call] = node.calls
  if (call === undefined) throw new Error('no call')
  other.answer(call, { value: 'forged' })
  await world.clock.advance(10)
  expect(ann.frames(OP.ok).flatMap(([, ref]) => (ref === 70 ? [ref] : []))).toEqual([])
  node.answer(call, { value: 'first' })
  node.answer(call, { value: 'second' })
  await world.clock.advance(10)
  expect(ann.frames(OP.ok).filter(([, ref]) => ref === 70)).toEqual([[OP.ok, 70, 'first']])
})

test('P4 private: who is not in the room, or was put out of it, reaches no node; the node is told that they are gone', async () => {
  const { world, ann, eve, node } = await here()
  const bob = world.gateway.connect('bob')
  const stranger = world.gateway.connect('zed')
  await bob.join('r')
  await ann.call('r', 'media.join')
  expect(await stranger.call('r', 'media.join')).toMatchObject({ err: 'not_member' })
  expect(await stranger.call('nowhere', 'media.join')).toMatchObject({ err: 'not_found' })
  await ann.call('r', 'kick', { player: 'bob' })
  await world.gateway.settle()
  expect(node.gone.map(({ players }) => players)).toEqual([['bob']])
  expect(await bob.call('r', 'media.join')).toMatchObject({ err: 'not_member' })
  await ann.call('r', 'kick', { player: 'eve' })
  await world.gateway.settle()
  expect(node.gone.map(({ players }) => players)).toEqual([['bob'], ['eve']])
  expect(await eve.call('r', 'media.state')).toMatchObject({ err: 'not_member' })
  const fay = world.gateway.connect('fay')
  await fay.join('r', { role: 'spectator' })
  for (const client of [fay, ann]) await client.leave('r')
  await world.gateway.settle()
  expect(node.gone.map(({ players }) => players)).toEqual([['bob'], ['eve'], ['fay'], ['ann']])
  expect(await fay.call('r', 'media.join')).toMatchObject({ err: 'not_member' })
  expect(await ann.call('r', 'media.join')).toMatchObject({ err: 'not_member' })
  expect(node.calls).toHaveLength(1)
})

test('P4 private: the peers of a spectator end when the spectator takes a seat', async () => {
  const { world, eve, node } = await here()
  await eve.call('r', 'media.join')
  await eve.join('r', { role: 'player' })
  await world.gateway.settle()
  expect(node.heard.map(({ kind }) => kind)).toEqual(['media-lease', 'media-call', 'media-lease', 'media-gone'])
  expect(node.gone.map(({ players }) => players)).toEqual([['eve']])
  expect(node.leases.at(-1)?.policy?.players).toEqual(['ann', 'eve'])
  await eve.call('r', 'media.join')
  expect(node.calls.at(-1)?.peer.role).toBe('player')
})

test('a player whose connection was cut keeps the media peer, also when the room counts the player as dropped', async () => {
  const { world, ann, node } = await here()
  await ann.call('r', 'start')
  await ann.call('r', 'media.join')
  await ann.drop()
  await world.clock.advance(10_000)
  expect(world.engine.rooms.here('r')?.state.members.ann?.connected).toBe(false)
  expect(node.gone).toEqual([])
  expect(node.leases.at(-1)?.hash).toBe(node.leases[0]?.hash)
})

test('nothing of a media call is logged', async () => {
  const { world, ann } = await here()
  const { length } = world.storage.written
  await ann.call('r', 'media.join')
  expect(world.storage.written).toHaveLength(length)
})

test('over HTTP a call is a visit of its member; beside the lane of a connection it is none', async () => {
  const { world, node } = await here()
  const dan = new Poller(world.gateway, 'r', 'dan')
  await dan.client.join('r', { role: 'spectator' })
  await world.clock.advance(8_000)
  expect(await dan.client.call('r', 'media.join')).toEqual({ ok: 'media.join' })
  await world.clock.advance(8_000)
  expect(await dan.client.call('r', 'media.state')).toEqual({ ok: 'media.state' })
  expect(node.calls.map(({ peer }) => peer.role)).toEqual(['spectator', 'spectator'])
  await world.clock.advance(8_000)
  const { player, session } = dan
  const aside = (ref: number) =>
    world.gateway.answers(
      world.gateway.publish((id) => ({
        ...{ kind: 'command', gateway: world.gateway.name, id, room: 'r', conn: null, aside: true },
        ...{ player: { id: player, name: player }, session },
        frames: [encode([OP.call, ref, 'r', 'media.state', {}])],
      })),
    )
  await aside(80)
  await world.clock.advance(3_000)
  expect(await dan.client.call('r', 'media.state')).toMatchObject({ err: 'not_member' })
})

test('P5 bounded: 128 calls of one player wait at once', async () => {
  const { world, ann, eve, node } = await here()
  node.onCall = () => null
  for (let ref = 100; ref <= 228; ref++) ann.send('r', [[OP.call, ref, 'r', 'media.consume', {}]])
  await world.clock.advance(100)
  expect(node.calls).toHaveLength(128)
  expect(ann.frames(OP.err)).toEqual([[OP.err, 228, 'unavailable', expect.stringContaining('Too many'), undefined]])
  eve.send('r', [[OP.call, 1, 'r', 'media.consume', {}]])
  await world.clock.advance(100)
  expect(node.calls.at(-1)?.peer.player).toBe('eve')
  await world.clock.advance(10_000)
  node.onCall = () => ({ value: 1 })
  expect(await ann.call('r', 'media.consume')).toEqual({ ok: 1 })
})
