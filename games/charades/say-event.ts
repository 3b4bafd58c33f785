import type { GameEvent } from '../../client/client.ts'
import type { BoardWords } from './board-words.ts'

type NameOf = (id: string) => string

/** What an EMIT of the rules means, as a sentence; null where it is another's. Pure. */
export const sayEvent = (words: BoardWords, language: 'en' | 'ko', event: GameEvent, nameOf: NameOf): string | null => {
  const { type, performer, team, by, winner } = event
  const word = wordIn(language, event.word)
  switch (type) {
    case 'turn':
      return typeof performer === 'string' && (team === 'sun' || team === 'moon')
        ? words.turnOf(nameOf(performer), team)
        : null
    case 'guessed':
      return typeof by === 'string' && word !== null ? words.guessed(nameOf(by), word) : null
    case 'skipped':
      return word === null ? null : words.skipped(word)
    case 'missed':
      return word === null ? null : words.missed(word)
    case 'end':
      return winner === 'sun' || winner === 'moon' || winner === 'draw' ? words.won[winner] : null
    default:
      return null
  }
}

const wordIn = (language: 'en' | 'ko', word: unknown): string | null => {
  const name: unknown = typeof word === 'object' && word !== null ? Reflect.get(word, language) : null
  return typeof name === 'string' ? name : null
}
