import { type FormEvent, useState } from 'react'
import { pathOf, roomIn } from '../path.ts'
import { navigate } from '../route.ts'
import { useWords } from '../words/words.ts'

/** A field for the link or the code that somebody sent. */
export const JoinByLink = ({ askName }: { askName(): string | null }) => {
  const { lobby } = useWords()
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const room = roomIn(text)
    setWrong(room === null)
    if (room === null) return
    const name = askName()
    if (name !== null) navigate(pathOf(room, name))
  }
  return (
    <section aria-labelledby="join">
      <h2 id="join">{lobby.join}</h2>
      <form className="join" onSubmit={submit}>
        <label className="field">
          <span>{lobby.joinLabel}</span>
          <input
            value={text}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            aria-invalid={isWrong}
            aria-describedby="join-hint"
            onChange={(event) => {
              setText(event.target.value)
              setWrong(false)
            }}
          />
        </label>
        <button type="submit" className="button">
          {lobby.joinButton}
        </button>
        <small id="join-hint" className={isWrong ? 'wrong' : ''} role={isWrong ? 'alert' : undefined}>
          {isWrong ? lobby.joinWrong : lobby.joinHint}
        </small>
      </form>
    </section>
  )
}
