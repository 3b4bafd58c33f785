import { useEffect, useRef, useState } from 'react'
import type { PlayerId } from '../../../client/client.ts'
import { useStore } from '../store.ts'
import { useLanguage } from '../words/words.ts'
import type { Happenings, Line } from './happenings.ts'

/** A line as one sentence. Pure. */
export const sentenceOf = (line: Line, language: 'en' | 'ko'): string =>
  line.kind === 'done' ? line.text[language] : `${line.name}: ${line.text}`

/** Reads the lines that come to those who hear the page; one's own words are known. */
export const Latest = ({ happenings, me }: { happenings: Happenings; me: PlayerId }) => {
  const language = useLanguage()
  const lines = useStore(happenings.lines)
  const heard = useRef(new Set(lines.map(({ id }) => id)))
  const [news, setNews] = useState('')
  useEffect(() => {
    const fresh = lines.filter(({ id }) => !heard.current.has(id))
    heard.current = new Set(lines.map(({ id }) => id))
    const told = fresh.filter((line) => line.kind === 'done' || line.from !== me)
    if (told.length > 0) setNews(told.map((line) => sentenceOf(line, language)).join(' '))
  }, [lines, me, language])
  return (
    <p className="heard-only" aria-live="polite">
      {news}
    </p>
  )
}
