import { expect, test } from 'vitest'
import { OP, type RoomDocument, type StateFrame } from '../protocol/frames.ts'
import { Feed } from './feed.ts'

const documentOf = (total: number): RoomDocument => ({
  room: { phase: 'playing', game: 'tally', version: 1, host: 'ann', players: [], members: {} },
  game: { total },
})
const state = (seq: number, total: number): StateFrame => [OP.state, 'r', seq, documentOf(total)]
type Patch = Parameters<Feed['patch']>[0]
const patch = (from: number, seq: number, total?: number): Patch =>
  total === undefined ? [OP.patch, 'r', from, seq, []] : [OP.patch, 'r', from, seq, [[['game', 'total'], total]]]
const emit = (feed: Feed, seq: number): boolean => feed.emit([OP.emit, 'r', seq, { type: 'boo' }])

/** Holds the document of seq 4, polled up to 9. */
const polled = (): Feed => {
  const feed = new Feed()
  feed.answer()
  feed.state(state(4, 1))
  expect(feed.patch(patch(4, 7), true)).toBe('applied')
  expect(feed.patch(patch(7, 9), true)).toBe('applied')
  return feed
}

test('a PATCH of a stream fits what was polled from the last change on, and neither before nor after', () => {
  for (const [from, outcome] of [
    [3, 'gap'],
    [4, 'applied'],
    [6, 'applied'],
    [9, 'applied'],
    [10, 'gap'],
  ] as const) {
    const feed = polled()
    expect([from, feed.patch(patch(from, 12, 2))]).toEqual([from, outcome])
  }
})

test('after a poll that brought a change, one from before the change does not fit', () => {
  const feed = polled()
  expect(feed.patch(patch(9, 14, 2), true)).toBe('applied')
  expect(feed.patch(patch(9, 15, 3))).toBe('gap')
  expect(feed.patch(patch(12, 15, 3))).toBe('applied')
})

test('a STATE that changed last before what was polled does not make it older', () => {
  const feed = polled()
  feed.ask()
  feed.answer()
  expect(feed.state(state(4, 1))).toBe(true)
  expect(feed.seq).toBe(9)
})

test('after a break between a PATCH and its EMITs, a JOIN goes on from before it, and each EMIT comes once', () => {
  const feed = new Feed()
  feed.answer()
  feed.state(state(4, 1))
  expect(feed.patch(patch(4, 6, 2))).toBe('applied')
  expect(emit(feed, 6)).toBe(true)
  feed.ask()
  expect(feed.since).toBe(4)
  feed.answer()
  expect(feed.patch(patch(4, 6, 2))).toBe('same')
  expect([emit(feed, 6), emit(feed, 6)]).toEqual([false, true])
  expect(feed.patch(patch(6, 8, 3))).toBe('applied')
})

test('EMITs of a later seq show that those of the document are complete', () => {
  const feed = new Feed()
  feed.answer()
  feed.state(state(4, 1))
  feed.patch(patch(4, 6, 2))
  emit(feed, 6)
  emit(feed, 7)
  expect(feed.since).toBe(6)
})

test('a poll brings its EMITs whole: a JOIN goes on from its seq', () => {
  expect(polled().since).toBe(9)
})

test('P3 ordered: a JOIN goes on from the document before the last PATCH; where all that came after it was undone, a PATCH without ops brings that one back', () => {
  const feed = new Feed()
  feed.answer()
  feed.state(state(4, 1))
  feed.patch(patch(4, 5, 2))
  feed.ask()
  expect(feed.since).toBe(4)
  feed.answer()
  expect(feed.patch(patch(4, 6))).toBe('applied')
  expect([feed.seq, feed.document]).toEqual([6, documentOf(1)])
  expect(feed.patch(patch(6, 8, 3))).toBe('applied')
})
