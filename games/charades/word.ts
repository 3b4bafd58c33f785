export const GUESS_CHARACTERS = 40

/** What is acted, in the languages in which it is shown. */
export interface WordName {
  readonly en: string
  readonly ko: string
}

/** A word of the deck, with what else is right. */
export interface Word extends WordName {
  readonly also: readonly string[]
}

/** What players are shown of a word. Pure. */
export const nameOf = ({ en, ko }: Word): WordName => ({ en, ko })

/** Whether a guess means the word, in any of its languages: case, accents, spaces and marks do not count. Pure. */
export const means = (text: string, { en, ko, also }: Word): boolean => {
  const guess = bare(text)
  return [en, ko, ...also].some((name) => bare(name) === guess)
}

/** The letters and digits of a text, as plain as they can be: Hangul is taken apart as accented letters are. Pure. */
export const bare = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
