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

/** Rows 'a' to 'e' under sequences 1 to 5, of which 'a' is written anew under 6: what a replica says that knows them up to `known`, and what a leader does. */
const bucketOf = (known: number, most = 1_000) => {
  const row = (sequence: number): Stored => ({ ...stored(sequence), subject: `rooms.${' abcdea'[sequence]}` })
  const at = (end: number) =>
    Array.from({ length: end }, (_, n) => row(n + 1)).filter(({ sequence }) => sequence !== 1 || end < 6)
  return {
    ...clusterOf(6, [6]),
    page: async (_: unknown, after: number) => ({
      found: at(6).filter(({ sequence }) => sequence > after),
      ended: true,
    }),
    last: async () => row(6),
    lastOfEach: async () => (at(known).length > most ? null : at(known)),
  }
}
const lastOf = async (bucket: ReturnType<typeof bucketOf>) =>
  new Map((await readLast(bucket, place)).map(({ subject, sequence }) => [subject, sequence]))

test('the last of each is as the leader knows it, also from a replica that lags behind and where they are too many for one answer', async () => {
  const whole = new Map([2, 3, 4, 5, 6].map((sequence) => [`rooms.${' abcdea'[sequence]}`, sequence]))
  for (const bucket of [bucketOf(6), bucketOf(5), bucketOf(2), bucketOf(0), bucketOf(6, 3)])
    expect(await lastOf(bucket)).toEqual(whole)
})
