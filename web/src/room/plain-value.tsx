import type { PlayerId } from '../../../client/client.ts'
import { useWords } from '../words/words.ts'

interface PlainValueProps {
  readonly value: unknown
  /** What a player is called; null for a text that is no player. */
  nameOf(id: PlayerId): string | null
}

/** Any plain data as it is: objects as lists of names and values, players by their names. */
export const PlainValue = ({ value, nameOf }: PlainValueProps) => {
  const { room: words } = useWords()
  if (value === null || value === undefined) return <i>{words.nothing}</i>
  if (typeof value === 'boolean') return value ? words.yes : words.no
  if (typeof value === 'string') return value === '' ? '""' : (nameOf(value) ?? value)
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value)
  if (entries.length === 0) return <i>{words.nothing}</i>
  if (Array.isArray(value))
    return (
      <ol className="plain-list">
        {entries.map(([index, item]) => (
          <li key={index}>
            <PlainValue value={item} nameOf={nameOf} />
          </li>
        ))}
      </ol>
    )
  return (
    <dl className="plain-fields">
      {entries.map(([name, item]) => (
        <div key={name}>
          <dt>{nameOf(name) ?? name}</dt>
          <dd>
            <PlainValue value={item} nameOf={nameOf} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
