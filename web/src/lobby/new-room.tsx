import { type FormEvent, useId, useState } from 'react'
import { gamePageOf } from '../boards.ts'
import { fieldsOf, startValues, type Values } from '../form/fields.ts'
import { FormField } from '../form/form-field.tsx'
import { Refused, useAttempts } from '../page/attempt.tsx'
import { pathOf } from '../path.ts'
import { navigate } from '../route.ts'
import type { Game } from '../server.ts'
import { tab } from '../tab.ts'
import { useLanguage, useWords } from '../words/words.ts'

/** The button that was pressed is gone: the keyboard goes on in what it opened. */
const focusFirst = (form: HTMLFormElement | null): void => {
  form?.querySelector('input')?.focus()
}

interface NewRoomProps {
  readonly game: Game
  readonly title: string
  askName(): string | null
  cancel(): void
}

/** The form that opens a room: the game's options, and who may come in. */
export const NewRoom = ({ game, title, askName, cancel }: NewRoomProps) => {
  const { lobby } = useWords()
  const language = useLanguage()
  const options = fieldsOf(game.options)
  const [values, setValues] = useState<Values>(() => startValues(options))
  const [isPublic, setPublic] = useState(false)
  const attempts = useAttempts()
  const hint = useId()

  const create = async (name: string): Promise<void> => {
    const session = await tab.enter(name)
    const room = await session.create(game.id, options.length > 0 ? values : undefined, { public: isPublic })
    navigate(pathOf(room))
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const name = askName()
    if (name !== null && attempts.pending === 0) void attempts.attempt(create(name))
  }

  return (
    <form ref={focusFirst} className="new-room" onSubmit={submit} aria-label={`${lobby.openRoom}: ${title}`}>
      {options.map((option) => (
        <FormField
          key={option.name}
          field={option}
          label={gamePageOf(game.id)?.words[language].options?.[option.name] ?? option.title}
          value={values[option.name]}
          change={(value) => setValues({ ...values, [option.name]: value })}
        />
      ))}
      <label className="check">
        <input
          type="checkbox"
          checked={isPublic}
          aria-describedby={hint}
          onChange={(event) => setPublic(event.target.checked)}
        />
        <span>{lobby.isPublic}</span>
      </label>
      <small id={hint}>{lobby.isPublicHint}</small>
      <div className="actions">
        <button type="submit" className="button primary" aria-busy={attempts.pending > 0}>
          {lobby.create}
        </button>
        <button type="button" className="button" onClick={cancel}>
          {lobby.cancel}
        </button>
      </div>
      <Refused attempts={attempts} />
    </form>
  )
}
