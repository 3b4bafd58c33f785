import { expect, test } from 'vitest'
import { bytesOf } from './conformance-values.ts'
import type { Stored } from './jetstream-direct.ts'
import { readAfter, readLast } from './jetstream-read.ts'
import { StorageError } from './log.ts'

const place = { stream: 'EV_0', subject: 'ev.0.a' }
const stored = (sequence: number): Stored => ({ subject: place.subject, sequence, body: bytesOf(`${sequence}`) })

/** A leader with messages 1, 2 … `last`, and replicas that know fewer: the next one answers the next question, the last one all further ones. */
const clusterOf = (last: number, replicas: number[], most = 1_000) => {
  const asked = { pauses: 0 }
  return {
    asked,
    async page(_: unknown, after: number, limit: number) {
      const known = replicas.length > 1 ? replicas.shift() : replicas[0]
      const all = Array.from({ length: last }, (_, n) => stored(n + 1))
      const rest = all.filter(({ sequence }) => sequence > after && sequence <= (known ?? 0))
      const found = rest.slice(0, Math.min(limit, most))
      return { found, ended: found.length === rest.length }
    },
    last: async () => (last === 0 ? null : stored(last)),
    async pause() {
      asked.pauses += 1
    },
  }
}
const sequences = async (cluster: ReturnType<typeof clusterOf>, after: number, limit: number) =>
  (await readAfter(cluster, place, after, limit)).map(({ sequence }) => sequence)

test('P1 durable: a replica that lags behind does not end a read before the leader’s last message', async () => {
  expect(await sequences(clusterOf(5, [0, 2, 2, 4, 5]), 0, 100)).toEqual([1, 2, 3, 4, 5])
  expect(await sequences(clusterOf(5, [3, 5]), 3, 100)).toEqual([4, 5])
})

test('a read ends at its limit, and asks no leader for it', async () => {
  const cluster = clusterOf(5, [5], 2)
  cluster.last = () => Promise.reject(new Error('asked'))
  expect(await sequences(cluster, 1, 3)).toEqual([2, 3, 4])
})

test('a room without messages, and one whose end is reached, read as empty', async () => {
  expect(await sequences(clusterOf(0, [0]), 0, 10)).toEqual([])
  expect(await sequences(clusterOf(3, [3]), 3, 10)).toEqual([])
})

test('replicas that stay behind are given up, with an error and not with an early end', async () => {
  const cluster = clusterOf(5, [3])
  await expect(readAfter(cluster, place, 0, 10)).rejects.toThrow(StorageError)
  expect(cluster.asked.pauses).toBeGreaterThan(50)
})

/** Rows 1 to `count` under their sequences, of which the first is written anew at last: those that stand there up to the sequence `known`. */
const rowsAt = (known: number, count: number): Stored[] =>
  Array.from({ length: known }, (_, n) => ({ ...stored(n + 1), subject: `rooms.${(n % count) + 1}` })).filter(
    ({ sequence }) => sequence !== 1 || known <= count,
  )
/** The leader knows all rows; a replica, which gives 1,024 at most, those up to the next of `known` each time that one is asked for their names. */
const bucketOf = (count: number, ...known: number[]) => {
  const all = rowsAt(count + 1, count)
  return {
    ...clusterOf(count + 1, [count + 1]),
    page: async (_: unknown, after: number) => ({ found: all.filter(({ sequence }) => sequence > after), ended: true }),
    last: async () => all.at(-1) ?? null,
    subjects: async () => all.map(({ subject }) => subject),
    async lastOfEach(_: string, subjects: readonly string[]) {
      const asked = new Set(subjects)
      const upTo = (known.length > 1 ? known.shift() : known[0]) ?? 0
      const found = rowsAt(upTo, count).filter(({ subject }) => asked.has(place.subject) || asked.has(subject))
      return found.length > 1_024 ? null : { found, upTo: found.length === 0 ? 0 : upTo }
    },
  }
}
const lastOf = async (bucket: ReturnType<typeof bucketOf>) =>
  new Map((await readLast(bucket, place)).map(({ subject, sequence }) => [subject, sequence]))
const wholeOf = (count: number) => new Map(rowsAt(count + 1, count).map(({ subject, sequence }) => [subject, sequence]))

test('the last of each is as the leader knows it, also from a replica that lags behind', async () => {
  for (const known of [6, 5, 2, 0]) expect(await lastOf(bucketOf(5, known))).toEqual(wholeOf(5))
})

test('where they are too many for one answer they are asked for by name, and nothing else is read', async () => {
  const bucket = bucketOf(2_500, 2_501)
  bucket.page = () => Promise.reject(new Error('walked'))
  expect(await lastOf(bucket)).toEqual(wholeOf(2_500))
})

test('and where one of the replicas that give them lags behind, what it did not know is read', async () => {
  for (const known of [
    [2_501, 2_501, 1_100, 2_501],
    [2_501, 2_500, 0, 2_501],
  ])
    expect(await lastOf(bucketOf(2_500, ...known))).toEqual(wholeOf(2_500))
})
