import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import type { BoardWords } from './board-words.ts'
import type { Guess } from './stage.ts'
import { GUESS_CHARACTERS } from './word.ts'

interface GuessFieldProps {
  readonly words: BoardWords
  guess(text: string): Promise<boolean>
}

/** Where one guesses, quickly: it takes the keyboard when it comes, and keeps it from guess to guess. */
export const GuessField = ({ words, guess }: GuessFieldProps) => {
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  useEffect(() => takeFreeFocus(field.current), [])
  const send = (event: FormEvent): void => {
    event.preventDefault()
    field.current?.focus()
    const guessed = text.trim()
    if (guessed === '') return
    setText('')
    void guess(guessed).then((isAccepted) => {
      // Whatever was written meanwhile stays.
      if (!isAccepted) setText((now) => (now === '' ? guessed : now))
    })
  }
  return (
    <form className="charades-guess" onSubmit={send}>
      <label className="heard-only" htmlFor={id}>
        {words.guessLabel}
      </label>
      <input
        id={id}
        ref={field}
        tabIndex={0}
        value={text}
        maxLength={GUESS_CHARACTERS}
        placeholder={words.guessLabel}
        autoComplete="off"
        autoCapitalize="off"
        enterKeyHint="send"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <button type="submit" className="button primary">
        {words.guess}
      </button>
    </form>
  )
}

/** Focuses the element where nothing has the focus, or a field in which nothing is written: nobody is torn from what they do. */
export const takeFreeFocus = (element: HTMLElement | null): void => {
  const focused = element?.ownerDocument.activeElement
  const isFree = focused instanceof HTMLInputElement ? focused.value === '' : focused === element?.ownerDocument.body
  if (isFree) element?.focus({ preventScroll: true })
}

interface GuessesProps {
  readonly guesses: readonly Guess[]
  readonly me: string
  readonly nameOf: (id: string) => string
  readonly words: BoardWords
}

/** What was guessed in this turn, the newest at the end. Wrong guesses are also told to those who hear the page. */
export const Guesses = ({ guesses, me, nameOf, words }: GuessesProps) => {
  const last = guesses.at(-1)
  return (
    <>
      <ol className="charades-guesses" aria-label={words.guesses}>
        {guesses.map(({ by, text, right }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: guesses have no names, and only the oldest go.
          <li key={index} data-right={right} data-mine={by === me}>
            <span>{by === me ? words.you : nameOf(by)}</span> <bdi>{text}</bdi>
            {right && <Tick label={words.right} />}
          </li>
        ))}
      </ol>
      <p className="heard-only" aria-live="polite">
        {last && !last.right ? words.notIt(last.text, last.by === me ? null : nameOf(last.by)) : ''}
      </p>
    </>
  )
}

export const Tick = ({ label }: { label: string }) => (
  <svg className="charades-tick" viewBox="0 0 16 16" role="img" aria-label={label}>
    <path d="M3 8.5l3.5 3.5L13 4.5" />
  </svg>
)
