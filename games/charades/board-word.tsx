import { useEffect, useRef } from 'react'
import { Tick, takeFreeFocus } from './board-guess.tsx'
import type { BoardWords } from './board-words.ts'
import type { Settled } from './stage.ts'
import type { WordName } from './word.ts'

interface WordCardProps {
  readonly word: WordName
  readonly language: 'en' | 'ko'
  readonly label: string
  /** To whom it is shown, in plain words. */
  readonly seenBy: string
  /** Who pressed "begin" goes on here: that button is gone. */
  readonly takesFocus: boolean
}

/** The secret word, with who sees it. */
export const WordCard = ({ word, language, label, seenBy, takesFocus }: WordCardProps) => {
  const card = useRef<HTMLElement>(null)
  useEffect(() => {
    if (takesFocus) takeFreeFocus(card.current)
  }, [takesFocus])
  const other = language === 'en' ? 'ko' : 'en'
  return (
    <section className="charades-word" ref={card} tabIndex={-1} aria-label={label} aria-live="polite">
      <p key={word.en}>
        <strong>{word[language]}</strong> <span lang={other}>{word[other]}</span>
      </p>
      <small>{seenBy}</small>
    </section>
  )
}

interface SettledWordsProps {
  readonly settled: readonly Settled[]
  readonly label: string
  readonly language: 'en' | 'ko'
  readonly nameOf: (id: string) => string
  readonly words: BoardWords
}

/** What became of the words of the last turn. */
export const SettledWords = ({ settled, label, language, nameOf, words }: SettledWordsProps) => {
  if (settled.length === 0) return null
  return (
    <div className="charades-settled">
      <h3>{label}</h3>
      <ul>
        {settled.map(({ word, outcome, by }, index) => {
          const says = words.outcome[outcome](by === null ? words.somebody : nameOf(by))
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a list that is replaced as a whole.
            <li key={index} data-outcome={outcome} title={says}>
              {outcome === 'guessed' && <Tick label={says} />}
              {word[language]}
              {outcome !== 'guessed' && <small>{says}</small>}
            </li>
          )
        })}
      </ul>
    </div>
  )
}
