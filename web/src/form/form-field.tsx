import { useId } from 'react'
import type { Field, Value } from './fields.ts'

interface FormFieldProps {
  readonly field: Field
  readonly label: string
  readonly value: Value
  /** Of a text: what may be meant, with what that is called. */
  readonly suggestions?: readonly { readonly value: string; readonly label: string }[]
  change(value: Value): void
}

/** One field of a form. Left empty, the game's own default holds. */
export const FormField = ({ field, label, value, suggestions, change }: FormFieldProps) => {
  const id = useId()
  if (field.kind === 'boolean')
    return (
      <label className="check">
        <input type="checkbox" checked={value === true} onChange={(event) => change(event.target.checked)} />
        <span>{label}</span>
      </label>
    )
  return (
    <div className="field short">
      <label htmlFor={id}>{label}</label>
      {field.kind === 'choice' && (
        <select
          id={id}
          value={String(value ?? '')}
          onChange={(event) => change(event.target.value === '' ? undefined : event.target.value)}
        >
          {!field.isRequired && <option value="" />}
          {field.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      )}
      {field.kind === 'number' && (
        <input
          id={id}
          type="number"
          required={field.isRequired}
          inputMode={field.isInteger ? 'numeric' : 'decimal'}
          value={typeof value === 'number' ? value : ''}
          min={field.min ?? undefined}
          max={field.max ?? undefined}
          step={field.isInteger ? 1 : 'any'}
          onChange={(event) => change(event.target.value === '' ? undefined : event.target.valueAsNumber)}
        />
      )}
      {field.kind === 'text' && (
        <input
          id={id}
          list={suggestions === undefined ? undefined : `${id}-list`}
          value={typeof value === 'string' ? value : ''}
          maxLength={field.maxLength ?? undefined}
          autoComplete="off"
          onChange={(event) => change(event.target.value === '' ? undefined : event.target.value)}
        />
      )}
      {field.kind === 'text' && suggestions !== undefined && (
        <datalist id={`${id}-list`}>
          {suggestions.map((suggestion) => (
            <option key={suggestion.value} value={suggestion.value}>
              {suggestion.label}
            </option>
          ))}
        </datalist>
      )}
    </div>
  )
}
