import type { FormEvent } from 'react'
import { NAME_CHARACTERS, useYourName } from '../lobby/your-name.ts'
import { Shell } from '../page/shell.tsx'
import { useWords } from '../words/words.ts'

/** Asks somebody who followed a link for a name, and suggests the one from last time. */
export const AskName = ({ found }: { found(name: string): void }) => {
  const { name: words } = useWords()
  const [name, setName] = useYourName()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (name.trim() !== '') found(name.trim())
  }
  return (
    <Shell title={words.ask}>
      <form className="notice ask-name" onSubmit={submit}>
        <h1>{words.ask}</h1>
        <label className="field">
          <span>{words.label}</span>
          <input
            // The page asks this one thing: the caret belongs there.
            ref={(input) => input?.focus()}
            value={name}
            required
            maxLength={NAME_CHARACTERS}
            autoComplete="nickname"
            onChange={(event) => setName(event.target.value)}
          />
          <small>{words.hint}</small>
        </label>
        <button type="submit" className="button primary">
          {words.join}
        </button>
      </form>
    </Shell>
  )
}
