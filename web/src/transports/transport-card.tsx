import { useId } from 'react'
import { useLanguage, useWords } from '../words/words.ts'
import type { Reading } from './meter.ts'

interface TransportCardProps {
  readonly reading: Reading
  /** Whether the visitor's own seat uses this transport now. */
  readonly isMine: boolean
  /** Of all four, for bars that can be compared. */
  readonly most: { readonly bytes: number; readonly requests: number; readonly latency: number }
}

/** What one transport has cost since the page was opened, how fast it is, and what goes over it. */
export const TransportCard = ({ reading, isMine, most }: TransportCardProps) => {
  const { transports: words } = useWords()
  const language = useLanguage()
  const { transport, trouble, requests, up, down, last, median, lines, handshake } = reading
  const title = useId()
  const count = new Intl.NumberFormat(language)
  return (
    <article className="transport" data-transport={transport} data-mine={isMine} aria-labelledby={title}>
      <header>
        <h2 id={title}>{words.names[transport]}</h2>
        {isMine && <span className="transport-mine">{words.mine}</span>}
      </header>
      <p className="transport-about">{words.about[transport]}</p>
      {trouble !== null && <p role="alert">{trouble}</p>}
      <dl className="transport-figures">
        <Figure
          name={words.latency}
          value={last === null ? '–' : `${count.format(round(last))} ms`}
          more={median === null ? '' : words.median(count.format(round(median)))}
          part={share(median, most.latency)}
          figure="latency"
        />
        <Figure
          name={words.bytes}
          value={bytesText(up + down, language)}
          more={words.upDown(bytesText(up, language), bytesText(down, language))}
          part={share(up + down, most.bytes)}
          figure="bytes"
        />
        <Figure
          name={words.requests}
          value={count.format(requests)}
          more=""
          part={share(requests, most.requests)}
          figure="requests"
        />
      </dl>
      <details>
        <summary>{words.handshake}</summary>
        <pre translate="no">{handshake}</pre>
      </details>
      <details open>
        <summary>{words.frames}</summary>
        {lines.length === 0 ? (
          <p className="empty">{words.noFrames}</p>
        ) : (
          <ol className="transport-lines" translate="no">
            {lines.map(({ id, way, bytes, text }) => (
              <li key={id} data-way={way}>
                <span className="heard-only">{way === 'up' ? words.sent : words.received}</span>
                <code>{text}</code> <small>{bytesText(bytes, language)}</small>
              </li>
            ))}
          </ol>
        )}
      </details>
    </article>
  )
}

interface FigureProps {
  readonly name: string
  readonly value: string
  readonly more: string
  /** Of the largest of the four, 0–1. */
  readonly part: number
  readonly figure: string
}

const Figure = ({ name, value, more, part, figure }: FigureProps) => (
  <div data-figure={figure}>
    <dt>{name}</dt>
    <dd>
      <b>{value}</b> <small>{more}</small>
      <span className="bar-of" aria-hidden="true">
        <span style={{ inlineSize: `${Math.max(1, part * 100)}%` }} />
      </span>
    </dd>
  </div>
)

const share = (value: number | null, most: number): number => (value === null || most === 0 ? 0 : value / most)

/** Two digits are enough to compare by. */
const round = (ms: number): number => (ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms))

const bytesText = (bytes: number, language: string): string => {
  const [value, unit] =
    bytes < 1_000 ? [bytes, 'B'] : bytes < 1_000_000 ? [bytes / 1_000, 'kB'] : [bytes / 1_000_000, 'MB']
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: unit === 'B' ? 0 : 1 }).format(value)} ${unit}`
}
