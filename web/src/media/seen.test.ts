import { expect, test } from 'vitest'
import type { Source } from '../../../client/client.ts'
import type { OwnTrack } from '../../../client/media/types.ts'
import { en } from '../words/en.ts'
import { ko } from '../words/ko.ts'
import { saySeen, saySeenShort, seenBy } from './seen.ts'

const track = { kind: 'video' } as MediaStreamTrack
const mine = (...published: [Source, Partial<OwnTrack>][]): ReadonlyMap<Source, OwnTrack> =>
  new Map(published.map(([source, own]) => [source, { track, muted: false, unseen: false, ...own }]))
const both = () => mine(['camera', {}], ['microphone', {}])
const say = (published: ReadonlyMap<Source, OwnTrack>, reach: Parameters<typeof seenBy>[1] = null) => {
  const seen = seenBy(published, reach)
  return [saySeen(en.media.seen, seen), saySeenShort(en.media.seen, seen)]
}

test('it is said who sees and hears one: everyone, those whom the rules leave, nobody, or that one is a mask', () => {
  expect(say(mine())).toEqual(['You are seen as a mask, and not heard.', ''])
  expect(say(both())).toEqual(['Everyone sees and hears you.', 'Everyone sees you'])
  expect(say(both(), { sight: 'the mafia', voice: 'the mafia' })).toEqual([
    'Only the mafia can see and hear you now.',
    'Only the mafia can see you now',
  ])
  expect(say(both(), { voice: 'the moon' })[0]).toBe('Everyone sees you. Only the moon can hear you now.')
})

test('what the server says comes before what the game says: who is sent to nobody is told so', () => {
  const unseen = mine(['camera', { unseen: true }], ['microphone', { unseen: true }])
  expect(say(unseen, { sight: 'the mafia', voice: 'the mafia' })).toEqual([
    'Nobody sees or hears you now.',
    'Nobody sees you now',
  ])
  expect(say(both(), { sight: null, voice: null })[0], 'the rules say so at once').toBe('Nobody sees or hears you now.')
  expect(say(mine(['camera', {}], ['microphone', { unseen: true }]))[0]).toBe(
    'Everyone sees you. Nobody hears you now.',
  )
})

test('what is muted is off, and a voice without a face is told too', () => {
  expect(say(mine(['camera', {}], ['microphone', { muted: true }]))[0]).toBe('Everyone sees you. You are not heard.')
  expect(say(mine(['microphone', {}]))).toEqual(['You are seen as a mask. Everyone hears you.', 'Everyone hears you'])
  expect(saySeen(ko.media.seen, seenBy(mine(['camera', {}]), { sight: '마피아' }))).toBe(
    '지금은 마피아만 나를 볼 수 있어요. 내 말은 들리지 않아요.',
  )
})
