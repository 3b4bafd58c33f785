import { useId } from 'react'
import { gamePageOf } from '../boards.ts'
import { useLanguage } from '../words/words.ts'
import type { Option, Value } from './options.ts'

interface OptionFieldProps {
  readonly game: string
  readonly option: Option
  readonly value: Value
  change(value: Value): void
}

/** The field of one option of a game. Left empty, the game's own default holds. */
export const OptionField = ({ game, option, value, change }: OptionFieldProps) => {
  const language = useLanguage()
  const label = gamePageOf(game)?.words[language].options?.[option.name] ?? option.title
  const id = useId()
  if (option.kind === 'boolean')
    return (
      <label className="check">
        <input type="checkbox" checked={value === true} onChange={(event) => change(event.target.checked)} />
        <span>{label}</span>
      </label>
    )
  return (
    <div className="field short">
      <label htmlFor={id}>{label}</label>
      {option.kind === 'choice' && (
        <select id={id} value={String(value ?? '')} onChange={(event) => change(event.target.value)}>
          {option.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      )}
      {option.kind === 'number' && (
        <input
          id={id}
          type="number"
          inputMode={option.isInteger ? 'numeric' : 'decimal'}
          value={typeof value === 'number' ? value : ''}
          min={option.min ?? undefined}
          max={option.max ?? undefined}
          step={option.isInteger ? 1 : 'any'}
          onChange={(event) => change(event.target.value === '' ? undefined : event.target.valueAsNumber)}
        />
      )}
      {option.kind === 'text' && (
        <input
          id={id}
          value={typeof value === 'string' ? value : ''}
          maxLength={option.maxLength ?? undefined}
          onChange={(event) => change(event.target.value === '' ? undefined : event.target.value)}
        />
      )}
    </div>
  )
}
