import { expect, test } from 'vitest'
import { en } from '../words/en.ts'
import { peopleNews } from './people-news.ts'

const ann = { name: 'Ann', connected: true }
const bob = { name: 'Bob', connected: true }
const room = {
  phase: 'open' as const,
  game: 'mafia',
  version: 1,
  host: 'ann',
  players: ['ann'],
  members: { ann },
}
const told = (before: object, now: object) =>
  peopleNews({ ...room, ...before }, { ...room, ...now }).map((say) => say(en))

test('who comes, goes away, comes back and leaves is told; nothing else is', () => {
  expect(told({}, {})).toEqual([])
  expect(told({}, { members: { ann, bob } })).toEqual(['Bob sat down.'])
  expect(told({ members: { ann, bob } }, { members: { ann, bob: { ...bob, connected: false } } })).toEqual([
    'Bob is away.',
  ])
  expect(told({ members: { ann, bob: { ...bob, connected: false } } }, { members: { ann, bob } })).toEqual([
    'Bob is back.',
  ])
  expect(told({ members: { ann, bob } }, {})).toEqual(['Bob left.'])
})

test('a new host, the beginning and the end are told', () => {
  expect(told({ members: { ann, bob } }, { members: { ann, bob }, host: 'bob' })).toEqual(['Bob is the host now.'])
  expect(told({}, { phase: 'playing' })).toEqual(['The game begins.'])
  expect(told({ phase: 'playing' }, { phase: 'over' })).toEqual(['The game is over.'])
})
