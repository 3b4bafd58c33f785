import { expect, test } from 'vitest'
import { matchPartition, partitionOf } from '../../bus/subjects.ts'
import { virtualClock } from '../../test/virtual-clock.ts'
import { KEPT_MS, MatchedPlayers } from './matched.ts'

const ann = { by: 'ann', session: 's1' }

test('P2 exactly once: where somebody was sent is known for 10 minutes, by session and ref, and then no longer kept', async () => {
  const clock = virtualClock()
  const matched = new MatchedPlayers(clock, () => 1)
  matched.note(ann, 1, { game: 'pair', room: 'one' })
  matched.note({ ...ann, session: 's2' }, 1, { game: 'pair', room: 'two' })
  matched.note(ann, 2, { game: 'pair', room: 'three' })
  await clock.advance(KEPT_MS - 1)
  matched.note(ann, 3, { game: 'trio', room: 'four' })
  const room = (ref: number, session = 's1') => matched.find({ by: 'ann', session }, ref)?.room
  expect([room(1), room(1, 's2'), room(2), room(3), room(4)]).toEqual(['one', 'two', 'three', 'four', undefined])
  await clock.advance(1)
  matched.note(ann, 4, { game: 'trio', room: 'five' })
  expect([room(1), room(1, 's2'), room(2), room(3), room(4)]).toEqual([undefined, undefined, undefined, 'four', 'five'])
})

test('what is forgotten is the room that refused, not one that was found since', () => {
  const matched = new MatchedPlayers(virtualClock(), () => 1)
  matched.note(ann, 1, { game: 'pair', room: 'one' })
  matched.note(ann, 1, { game: 'pair', room: 'two' })
  matched.forget(ann, 1, 'one')
  expect(matched.find(ann, 1)).toMatchObject({ room: 'two' })
  matched.forget(ann, 1, 'two')
  expect(matched.find(ann, 1)).toBeUndefined()
})

test('P2 exactly once: what was noted counts while the queue or the room stays here, and not when both went and came back', () => {
  const epochs = new Map([
    [matchPartition('pair'), 3],
    [partitionOf('one'), 4],
  ])
  const matched = new MatchedPlayers(virtualClock(), (partition) => epochs.get(partition) ?? null)
  matched.note(ann, 1, { game: 'pair', room: 'one' })
  const found = () => matched.find(ann, 1)?.room
  epochs.delete(partitionOf('one'))
  expect(found()).toBe('one')
  epochs.set(partitionOf('one'), 4)
  epochs.delete(matchPartition('pair'))
  expect(found()).toBe('one')
  epochs.clear()
  expect(found()).toBeUndefined()
  epochs.set(matchPartition('pair'), 8).set(partitionOf('one'), 9)
  expect(found()).toBeUndefined()
})
