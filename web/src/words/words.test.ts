import { expect, test, vi } from 'vitest'
import { MadangError } from '../../../client/error.ts'

// The page's language begins as the browser's: here as in any without a taste for Korean.
vi.stubGlobal('navigator', { language: 'en-US' })
const { dictionaries, sayError } = await import('./words.ts')

const why = { en: 'That cell is taken.', ko: '이미 놓인 칸이에요.' }

test('why the rules refuse a move is said in the language of the page; without their words, in the page’s own or the server’s', () => {
  const explained = new MadangError('illegal_move', 'That cell is taken.', why)
  expect(sayError(dictionaries.ko, explained)).toBe(why.ko)
  expect(sayError(dictionaries.en, explained)).toBe(why.en)
  const bare = new MadangError('illegal_move', 'not now')
  expect(sayError(dictionaries.ko, bare)).toBe(dictionaries.ko.errors.illegal_move)
  expect(sayError(dictionaries.en, bare)).toBe('Not now.')
  expect(sayError(dictionaries.ko, new MadangError('room_full', 'full', why))).toBe(dictionaries.ko.errors.room_full)
})

test('both languages say the same things', () => {
  const keysOf = (words: object): string[] =>
    Object.entries(words).flatMap(([key, value]) =>
      typeof value === 'object' ? keysOf(value).map((inner) => `${key}.${inner}`) : [key],
    )
  const withoutErrors = (words: object): string[] => keysOf(words).filter((key) => !key.startsWith('errors.'))
  expect(withoutErrors(dictionaries.ko).toSorted()).toEqual(withoutErrors(dictionaries.en).toSorted())
})
