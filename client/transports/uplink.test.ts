import { expect, test } from 'vitest'
import { virtualClock } from '../../test/virtual-clock.ts'
import { Uplink, type Upward } from './uplink.ts'

type Outcome = Awaited<ReturnType<ConstructorParameters<typeof Uplink>[0]['post']>>

const uplink = () => {
  const clock = virtualClock()
  const posts: { body: Uint8Array; refs: (number | null)[]; resolve(outcome: Outcome): void }[] = []
  const link = new Uplink({
    clock,
    post: (body, batch) => {
      const { promise, resolve } = Promise.withResolvers<Outcome>()
      posts.push({ body, refs: batch.map(({ ref }) => ref), resolve })
      return promise
    },
  })
  return { clock, link, posts }
}

const move = (ref: number, bytes: number): Upward => ({
  op: 5,
  ref,
  room: 'r1',
  frame: [],
  bytes: new Uint8Array(bytes),
})
const cast = (channel: string, bytes: number): Upward => ({
  op: 6,
  ref: null,
  room: 'r1',
  frame: [6, 'r1', channel],
  bytes: new Uint8Array(bytes),
})

test('a POST holds at most 64 KiB, the order of refs goes on in the next', async () => {
  const { clock, link, posts } = uplink()
  for (let ref = 1; ref <= 9; ref++) link.send(move(ref, 16_000))
  for (let i = 0; i < 3; i++) {
    await clock.advance(1)
    posts[i]?.resolve('answered')
  }
  await clock.advance(1)
  expect(posts.map(({ refs }) => refs)).toEqual([[1, 2, 3, 4], [5, 6, 7, 8], [9]])
  for (const { body } of posts) expect(body.length).toBeLessThanOrEqual(65_536)
  expect(link.buffered).toBe(0)
})

test('what had no answer goes again before what is newer, and CASTs do not', async () => {
  const { clock, link, posts } = uplink()
  link.send(move(1, 10))
  link.send(cast('aim', 10))
  await clock.advance(1)
  link.send(move(2, 10))
  posts[0]?.resolve({ again: 500 })
  await clock.advance(499)
  expect(posts).toHaveLength(1)
  await clock.advance(2)
  expect(posts.map(({ refs }) => refs)).toEqual([
    [1, null],
    [1, 2],
  ])
})

test('CASTs wait in bounded memory: the newest of each channel, of so many channels', async () => {
  const { clock, link, posts } = uplink()
  link.send(move(1, 10))
  await clock.advance(1)
  for (let i = 0; i < 10_000; i++) link.send(cast(`channel ${i % 200}`, 100))
  expect(link.buffered).toBe(64 * 100)
  posts[0]?.resolve('answered')
  await clock.advance(60)
  expect(posts[1]?.refs).toHaveLength(64)
})

test('a closed one sends nothing more', async () => {
  const { clock, link, posts } = uplink()
  link.send(move(1, 10))
  link.close()
  await clock.advance(1_000)
  expect(posts).toHaveLength(0)
  expect(clock.timers).toBe(0)
})
