import { expect, test } from 'vitest'
import type { Message } from '../../bus/messages.ts'
import { matchPartition, partitionOf } from '../../bus/subjects.ts'
import { OP } from '../../protocol/frames.ts'
import { isErrands } from './errands.ts'
import type { Cluster } from './testing/cluster.ts'
import { errands, roomOf, seatsKept, startMatching } from './testing/matching.ts'

/** A public room of trio at engine c, with a player in it. */
const betterRoom = async (cluster: Cluster): Promise<string> => {
  const room = cluster.roomAt('c')
  const bob = cluster.gateways[1].connect('bob')
  await bob.create(room, 'trio', undefined, { public: true })
  await bob.join(room, { role: 'player' })
  await cluster.clock.advance(1_100)
  return room
}

/** ann has been matched by the queue of trio, at engine a, into a room at b. */
const seatedAtB = async () => {
  const { cluster, player } = await startMatching('a', 'b', 'c')
  const ann = player(cluster.playerAt('b'))
  return { cluster, player, ann, room: roomOf(await ann.match('trio')) }
}

const QUEUE = matchPartition('trio')

/** Engines a and b are gone, c has the queue, and there is a new engine d: returns the partitions that nobody has yet. */
const bereave = async (cluster: Cluster): Promise<number[]> => {
  await cluster.add('d')
  const orphans = [...cluster.kill('a'), ...cluster.kill('b')]
  cluster.give('c', [QUEUE])
  return orphans.filter((partition) => partition !== QUEUE)
}

test.each(['a', 'b'])(
  'P2 exactly once: a MATCH sent again after the queue moved gets the same room, which engine %s owns, though better ones came',
  async (owner) => {
    const { cluster, player } = await startMatching('a', 'b', 'c')
    const ann = player(cluster.playerAt(owner))
    const room = roomOf(await ann.match('trio'))
    const better = await betterRoom(cluster)
    await cluster.move([QUEUE], 'a', 'c')
    expect(await player(ann.player, 1).match('trio')).toEqual({ ok: { room } })
    expect(await player(ann.player, 1).match('trio', { size: 9 })).toMatchObject({ err: 'conflict' })
    expect(seatsKept(cluster, ['a', 'b', 'c'], ann.player)).toEqual([room])
    expect(await ann.ask('', [OP.match, 2, 'trio'])).toEqual({ ok: { room: better } })
  },
)

test('P2 exactly once: a MATCH whose seat was still being logged when the queue moved is not seated a second time', async () => {
  const { cluster, player } = await startMatching('a', 'b', 'c')
  const ann = player(cluster.playerAt('b'))
  cluster.storage.hold()
  ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.runUntil(() => cluster.storage.waiting === 1)
  await cluster.move([QUEUE], 'a', 'c')
  const again = player(ann.player, 1)
  const id = again.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.advance(100)
  cluster.storage.release()
  await cluster.gateways[1].answers(id)
  const [room] = seatsKept(cluster, ['a', 'b', 'c'], ann.player)
  expect(cluster.ownerOf(room ?? '')).toBe('b')
  expect(again.frames(OP.ok)).toEqual([[OP.ok, 1, { room }]])
  expect(seatsKept(cluster, ['a', 'b', 'c'], ann.player)).toEqual([room])
})

test('P2 exactly once: where a new queue cannot ask who may have seated the asker, it refuses; once it can, the room is the same', async () => {
  const { cluster, player, ann, room } = await seatedAtB()
  const orphans = await bereave(cluster)
  const again = player(ann.player, 1)
  expect(await again.match('trio')).toMatchObject({ err: 'unavailable' })
  // A new owner, which has not read its rooms yet.
  cluster.storage.full = true
  cluster.give('d', orphans)
  again.ref = 0
  const id = again.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.advance(2_500)
  expect(again.frames(OP.ok)).toEqual([])
  cluster.storage.full = false
  await cluster.gateways[1].answers(id)
  expect(again.frames(OP.ok)).toEqual([[OP.ok, 1, { room }]])
  expect(seatsKept(cluster, ['c', 'd'], ann.player)).toEqual([room])
})

test('P2 exactly once: a room that refused the asker is not where a new queue looks, nor the same one again', async () => {
  const { cluster, player } = await startMatching('b', 'c')
  const [full, free] = [cluster.roomAt('b'), cluster.roomAt('c')]
  for (const room of [full, free]) await player('bob').create(room, 'crew', undefined, { public: true })
  const [ann, dan, hal] = [player('ann'), player('dan'), player('hal')]
  await player('fay').join(full, { role: 'player' })
  await cluster.clock.advance(1_000)
  cluster.loses = (subject) => subject === 'seats'
  await player('gil').join(full, { role: 'player' })
  await hal.join(full, { role: 'player' })
  expect(roomOf(await ann.match('crew'))).toBe(free)
  expect(roomOf(await dan.match('crew'))).toBe(free)
  expect(errands(cluster)).toEqual([full, free, free])
  await hal.leave(full)
  cluster.loses = () => false
  cluster.give('b', cluster.kill('a'))
  await cluster.clock.advance(1_000)
  expect(await ann.ask('', [OP.match, 1, 'crew'])).toEqual({ ok: { room: free } })
  expect(seatsKept(cluster, ['b', 'c'], 'ann')).toEqual([free])
})

test('P2 exactly once: rooms that their new engine could not read yet are waited for', async () => {
  const { cluster, ann, room } = await seatedAtB()
  await betterRoom(cluster)
  const orphans = await bereave(cluster)
  const { read } = cluster.storage
  cluster.storage.read = () => Promise.reject(new Error('the store does not answer'))
  cluster.give('d', orphans)
  await cluster.clock.advance(100)
  expect(cluster.engine('d').rooms.lacks('trio')).toBe(true)
  ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.advance(100)
  cluster.storage.read = read
  expect(await ann.ask('', [OP.match, 1, 'trio'])).toEqual({ ok: { room } })
  expect(seatsKept(cluster, ['c', 'd'], ann.player)).toEqual([room])
})

test('P2 exactly once: partitions that come to an engine while it is asked are not answered for before they are read', async () => {
  const { cluster, ann, room } = await seatedAtB()
  await betterRoom(cluster)
  const orphans = await bereave(cluster)
  const of = partitionOf(room)
  await cluster.clock.advance(10)
  const { listIndex } = cluster.storage
  const [others, its] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  cluster.storage.listIndex = async (...about) => {
    await (about[0].partitions?.has(of) ? its : others).promise
    return listIndex(...about)
  }
  cluster.give(
    'd',
    orphans.filter((partition) => partition !== of),
  )
  ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.advance(10)
  cluster.give('d', [of])
  await cluster.clock.advance(10)
  others.resolve()
  await cluster.clock.advance(2_000)
  expect(seatsKept(cluster, ['c', 'd'], ann.player)).toEqual([])
  its.resolve()
  await cluster.clock.runUntil(() => ann.frames(OP.ok).length === 2)
  expect(ann.frames(OP.ok)[1]).toEqual([OP.ok, 1, { room }])
  expect(seatsKept(cluster, ['c', 'd'], ann.player)).toEqual([room])
})

test('P2 exactly once: an engine that cannot be sure of the queue asks for no seat again, until it can', async () => {
  const { cluster, player } = await startMatching('a', 'b')
  const ann = player(cluster.playerAt('b'))
  cluster.loses = (_, message) => message.kind === 'command' && isErrands(message.gateway)
  ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.advance(100)
  cluster.doubt('a')
  cluster.loses = () => false
  await cluster.clock.advance(3_000)
  expect(errands(cluster)).toEqual([])
  cluster.trust('a')
  await cluster.clock.runUntil(() => ann.frames(OP.ok).length === 1, 2_000)
  expect(errands(cluster)).toEqual([cluster.roomOf(ann.player)])
})

test.each(['that it has had for long', 'of which it is reading the list of rooms'])(
  'P2 exactly once: an engine that hands a partition over %s does not say who is seated there',
  async (which) => {
    const { cluster, player, ann, room } = await seatedAtB()
    const of = partitionOf(room)
    await betterRoom(cluster)
    await cluster.add('d')
    const { listIndex, putSnapshot } = cluster.storage
    const [listed, kept] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    if (which.startsWith('of which'))
      cluster.storage.listIndex = async (...about) => {
        await listed.promise
        return listIndex(...about)
      }
    await cluster.move([of], 'b', 'd')
    cluster.storage.listIndex = listIndex
    // There is a snapshot to keep, then, which takes its time.
    await player('cas').join(room, { role: 'player' })
    cluster.storage.putSnapshot = async (...about) => {
      await kept.promise
      return putSnapshot(...about)
    }
    cluster.give(
      'd',
      [...cluster.kill('a'), ...cluster.kill('b')].filter((partition) => partition !== QUEUE),
    )
    cluster.give('c', [QUEUE])
    await cluster.clock.advance(1_000)
    cluster.clock.after(200, () => listed.resolve())
    cluster.clock.after(500, () => ann.send('', [[OP.match, 1, 'trio']]))
    cluster.clock.after(1_000, () => kept.resolve())
    await cluster.move([of], 'd', 'c')
    await cluster.clock.advance(5_000)
    expect(seatsKept(cluster, ['c', 'd'], ann.player)).toEqual([room])
    expect(ann.frames(OP.ok)[1]).toEqual([OP.ok, 1, { room }])
  },
)

test('P2 exactly once: a seat that an earlier owner of the queue asked for is not given when that arrives after all', async () => {
  const { cluster, player } = await startMatching('a', 'b', 'c')
  const ann = player(cluster.playerAt('b'))
  const lost: { subject: string; message: Message }[] = []
  cluster.loses = (subject, message) => {
    const isAsked = message.kind === 'command' && isErrands(message.gateway)
    if (isAsked) lost.push({ subject, message })
    return isAsked
  }
  ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.runUntil(() => lost.length > 0)
  cluster.give('c', cluster.kill('a'))
  cluster.loses = () => false
  const better = await betterRoom(cluster)
  expect(await ann.ask('', [OP.match, 1, 'trio'])).toEqual({ ok: { room: better } })
  for (const { subject, message } of lost) cluster.deliver(subject, message)
  await cluster.clock.advance(1_000)
  expect(seatsKept(cluster, ['b', 'c'], ann.player)).toEqual([better])
})

test('an engine that dies while it is asked for a seat: `unavailable`, others are matched meanwhile, and the retry is seated once', async () => {
  const { cluster, player } = await startMatching('a', 'b')
  await cluster.clock.advance(11 * 60_000)
  const [ann, bob] = [player(cluster.playerAt('b')), player(cluster.playerAt('a'), 1)]
  cluster.storage.hold()
  const asked = ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.runUntil(() => cluster.storage.waiting === 1)
  const orphans = cluster.kill('b')
  cluster.storage.release()
  await cluster.clock.advance(3_000)
  const other = roomOf(await bob.match('trio'))
  await cluster.gateways[0].answers(asked)
  expect(ann.frames(OP.err).map(([, ref, code]) => [ref, code])).toEqual([[1, 'unavailable']])
  cluster.give('a', orphans)
  const room = roomOf(await ann.ask('', [OP.match, 1, 'trio']))
  expect(room).not.toBe(other)
  expect(seatsKept(cluster, ['a'], ann.player)).toEqual([room])
  expect(cluster.errors).toEqual([])
})

test('P5 bounded: engines ask each other about earlier requests for 10 minutes after a queue has come to them, and no longer', async () => {
  const { cluster, player } = await startMatching('a', 'b')
  const asks = () => cluster.published.filter(({ subject }) => subject === 'ask').length
  const ann = player(cluster.playerAt('b'))
  const room = roomOf(await ann.match('pair'))
  expect(asks()).toBeGreaterThan(0)
  await cluster.clock.advance(11 * 60_000)
  const before = asks()
  roomOf(await player('bob').match('pair'))
  expect(asks()).toBe(before)
  expect(room).not.toBe('')
})

test('a ref that has found a room does not find one of another game', async () => {
  const { cluster, player } = await startMatching('a', 'b')
  const ann = player(cluster.playerAt('b'))
  const room = roomOf(await ann.match('pair'))
  expect(await ann.ask('', [OP.match, 1, 'trio'])).toMatchObject({ err: 'conflict' })
  expect(await ann.ask('', [OP.match, 1, 'pair'])).toEqual({ ok: { room } })
  expect(seatsKept(cluster, ['a', 'b'], ann.player)).toEqual([room])
})
