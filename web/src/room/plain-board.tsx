import { type FormEvent, useId, useState } from 'react'
import type { PlayerId, Room, RoomDocument } from '../../../client/client.ts'
import { exampleOf, fieldsOf, isWholeForm, startValues, type Values } from '../form/fields.ts'
import { FormField } from '../form/form-field.tsx'
import { useWords } from '../words/words.ts'
import { PlainValue } from './plain-value.tsx'
import { useGame } from './the-game.ts'

interface PlainBoardProps {
  readonly room: Room
  readonly document: RoomDocument<object>
  readonly me: PlayerId
  attempt(request: Promise<unknown>): Promise<boolean>
}

/** The board of a game that has none: all that its rules show, and a form for each of its moves. Made for whoever writes a game. */
export const PlainBoard = ({ room, document, me, attempt }: PlainBoardProps) => {
  const { room: words, you, somebody } = useWords()
  const { game, players, members, phase } = document.room
  const moves = Object.entries(useGame(game)?.moves ?? {})
  const nameOf = (id: PlayerId): string | null =>
    players.includes(id) ? (id === me ? you : (members[id]?.name ?? somebody)) : null
  return (
    <section className="board plain" aria-label={words.table}>
      <h2>{words.plainBoard}</h2>
      <PlainValue value={document.game} nameOf={nameOf} />
      {players.includes(me) &&
        phase === 'playing' &&
        moves.map(([type, schema]) => (
          <MoveForm
            key={type}
            type={type}
            schema={schema}
            people={players.map((id) => ({ value: id, label: nameOf(id) ?? id }))}
            play={(payload) => attempt(room.move[type]?.(payload) ?? Promise.resolve())}
          />
        ))}
      <small>{words.plainHint(game)}</small>
    </section>
  )
}

interface MoveFormProps {
  readonly type: string
  readonly schema: object
  /** Who may be meant by a text. */
  readonly people: readonly { readonly value: PlayerId; readonly label: string }[]
  play(payload: unknown): Promise<boolean>
}

/** The form of one move: a field for each part of its payload, or one for JSON where fields cannot say it. */
const MoveForm = ({ type, schema, people, play }: MoveFormProps) => {
  const { room: words } = useWords()
  const fields = fieldsOf(schema)
  const isWhole = isWholeForm(schema)
  const [values, setValues] = useState<Values>(() => startValues(fields))
  const [text, setText] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [isWrong, setWrong] = useState(false)
  const id = useId()
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const payload = isWhole ? values : parsed(text)
    setWrong(payload === NO_JSON)
    if (payload === NO_JSON || isBusy) return
    setBusy(true)
    await play(payload)
    setBusy(false)
  }
  return (
    <form className="plain-move" onSubmit={(event) => void submit(event)} aria-label={type}>
      {isWhole ? (
        fields.map((field) => (
          <FormField
            key={field.name}
            field={field}
            label={field.title}
            value={values[field.name]}
            suggestions={people}
            change={(value) => setValues({ ...values, [field.name]: value })}
          />
        ))
      ) : (
        <div className="field">
          <label htmlFor={id}>{words.plainJson}</label>
          <textarea
            id={id}
            rows={2}
            spellCheck={false}
            placeholder={JSON.stringify(exampleOf(schema))}
            value={text}
            aria-invalid={isWrong}
            aria-describedby={`${id}-wrong`}
            onChange={(event) => setText(event.target.value)}
          />
          <small id={`${id}-wrong`} role="alert">
            {isWrong ? words.plainNotJson : ''}
          </small>
        </div>
      )}
      <button type="submit" className="button primary" aria-busy={isBusy}>
        {words.plainSend(type)}
      </button>
    </form>
  )
}

const NO_JSON = Symbol('no JSON')

/** The value that a text of JSON stands for, nothing for an empty one; NO_JSON where it is none. Pure. */
const parsed = (text: string): unknown => {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return NO_JSON
  }
}
