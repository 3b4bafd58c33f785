import { MadangError } from '../../../client/error.ts'
import { Store } from '../../../client/store.ts'
import { recall, remember } from '../remembered.ts'
import { useStore } from '../store.ts'
import { en, type Words } from './en.ts'
import { ko } from './ko.ts'

export type { Words } from './en.ts'
export type Language = 'en' | 'ko'

export const dictionaries: Record<Language, Words> = { en, ko }

const first = (): Language => {
  const chosen = recall('browser', 'language')
  if (chosen === 'en' || chosen === 'ko') return chosen
  return navigator.language.toLowerCase().startsWith('ko') ? 'ko' : 'en'
}

const language = new Store<Language>(first())

/** Sets the language of the page, and remembers it. */
export const speak = (chosen: Language): void => {
  remember('browser', 'language', chosen)
  language.set(chosen)
}

export const useLanguage = (): Language => useStore(language)

/** What the page says, in the language that it speaks. */
export const useWords = (): Words => dictionaries[useLanguage()]

/** Why something was refused, as a sentence for the player: the rules' own in this language, the server's, or what helps more. Pure. */
export const sayError = (words: Words, error: unknown): string => {
  if (!(error instanceof MadangError)) return words.errors.internal ?? String(error)
  const explained = error.code === 'illegal_move' ? inLanguage(error.detail, words.code) : null
  if (explained !== null) return explained
  return words.errors[error.code] ?? asSentence(error.message)
}

const inLanguage = (detail: unknown, language: Language): string | null => {
  const text: unknown = typeof detail === 'object' && detail !== null ? Reflect.get(detail, language) : null
  return typeof text === 'string' ? text : null
}

const asSentence = (text: string): string => {
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`
}

/** A title by language; English, or any, where this one is missing. Pure. */
export const titleIn = (title: string | Readonly<Record<string, string>>, language: Language): string =>
  typeof title === 'string' ? title : (title[language] ?? title.en ?? Object.values(title)[0] ?? '')
