import { expect, test } from 'vitest'
import { PARTITIONS, partitionOf } from '../../bus/subjects.ts'
import { indexRow } from '../log/conformance-values.ts'
import { StorageError } from '../log/log.ts'
import { Cluster } from './testing/cluster.ts'
import { gameOf } from './testing/games.ts'

/** A phase that takes ten minutes. */
const slow = gameOf('slow', {
  machine: `initial: 'day', states: { day: { after: { 600000: 'night' } }, night: {} }`,
  face: 'everyone: (s) => ({ phase: s.value })',
})

const ALL = Array.from({ length: PARTITIONS }, (_, partition) => partition)

/** An engine `b` that owns nothing yet, and two rooms in partitions that nobody owns, which slept through their deadlines. */
const orphaned = async () => {
  const cluster = await Cluster.start([slow], () => 'a')
  const [first = '', second = ''] = [0, 1].map((n) => cluster.roomAt('a', n))
  for (const room of [first, second]) {
    const ann = cluster.gateways[0].connect('ann')
    await ann.create(room, 'slow')
    await ann.join(room)
    await ann.call(room, 'start')
    await ann.drop()
  }
  await cluster.clock.advance(100_000)
  expect(cluster.engine('a').rooms.counts().live).toBe(0)
  await cluster.add('b')
  cluster.kill('a')
  await cluster.clock.advance(600_000)
  return { cluster, rooms: cluster.engine('b').rooms, first, second }
}

test.each(['do not come', 'cannot be read'])(
  'rooms that are due wake although the rows of another partition %s, and its own wake once they do',
  async (what) => {
    const { cluster, rooms, first, second } = await orphaned()
    const { listIndex } = cluster.storage
    const { promise: come, resolve } = Promise.withResolvers<void>()
    let isThere = false
    cluster.storage.listIndex = async (...about) => {
      if (!isThere && about[0].partitions?.has(partitionOf(second))) {
        if (what === 'cannot be read') throw new StorageError('the store does not answer')
        await come
      }
      return listIndex(...about)
    }
    cluster.give('b', ALL)
    await cluster.clock.advance(100)
    expect([rooms.here(first)?.state.phase, rooms.here(second)]).toEqual(['playing', undefined])
    isThere = true
    resolve()
    await cluster.clock.advance(1_100)
    expect(rooms.here(second)?.state.phase).toBe('playing')
  },
)

test('a room of whose row nothing but that it stands there can be read is taken over by its log, and has its row again', async () => {
  const { cluster, rooms, first } = await orphaned()
  await cluster.storage.putIndex([indexRow(first, { game: '', rules: '', seq: 0 })])
  cluster.give('b', ALL)
  await cluster.clock.advance(100)
  expect(rooms.here(first)?.state.phase).toBe('playing')
  expect(await cluster.storage.index(first)).toMatchObject({ game: 'slow', status: 'live' })
})

test('bounded: however many partitions come at once, the rows of eight are read at a time', async () => {
  const cluster = await Cluster.start([slow], () => 'a')
  await cluster.add('b')
  cluster.kill('a')
  const { listIndex } = cluster.storage
  const [read, most] = [new Set<number>(), { now: 0, ever: 0 }]
  cluster.storage.listIndex = async (filter, ...rest) => {
    const partitions = [...(filter.partitions ?? [])]
    for (const partition of partitions) read.add(partition)
    most.now += partitions.length
    most.ever = Math.max(most.ever, most.now)
    await new Promise<void>((resolve) => cluster.clock.after(1, resolve))
    most.now -= partitions.length
    return listIndex(filter, ...rest)
  }
  cluster.give('b', ALL.slice(0, 100))
  cluster.give('b', ALL.slice(100))
  await cluster.clock.runUntil(() => read.size === PARTITIONS && most.now === 0)
  expect(most.ever).toBe(8)
})

test('bounded: however many rooms are due at once, few are read at a time, and each is', async () => {
  const cluster = await Cluster.start([slow], () => 'a')
  await cluster.add('b')
  cluster.kill('a')
  const names = Array.from({ length: 300 }, (_, n) => `due-${n}`)
  // Without a log, so that each ends frozen.
  await cluster.storage.putIndex(
    names.map((room, n) => indexRow(room, { status: n % 3 ? 'asleep' : 'live', due: n % 3 ? 5 : null })),
  )
  const { snapshot } = cluster.storage
  const most = { now: 0, ever: 0 }
  cluster.storage.snapshot = async (room) => {
    most.now += 1
    most.ever = Math.max(most.ever, most.now)
    await new Promise<void>((resolve) => cluster.clock.after(1, resolve))
    most.now -= 1
    return snapshot(room)
  }
  cluster.give('b', ALL)
  await cluster.clock.runUntil(() => cluster.engine('b').rooms.counts().frozen === names.length)
  expect(most.ever).toBe(64)
})
