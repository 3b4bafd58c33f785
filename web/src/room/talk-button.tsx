import { useEffect, useState } from 'react'
import type { PlayerId } from '../../../client/client.ts'
import { useStore } from '../store.ts'
import { useLanguage, useWords } from '../words/words.ts'
import type { Happenings } from './happenings.ts'
import { sentenceOf } from './latest.tsx'

interface TalkButtonProps {
  readonly happenings: Happenings
  readonly me: PlayerId
  readonly isOpen: boolean
  open(): void
}

/** On a phone: the newest line, and how many things were said since the list was last open. */
export const TalkButton = ({ happenings, me, isOpen, open }: TalkButtonProps) => {
  const { talk } = useWords()
  const language = useLanguage()
  const lines = useStore(happenings.lines)
  const [read, setRead] = useState<string | undefined>(undefined)
  const last = lines.at(-1)
  useEffect(() => {
    if (isOpen) setRead(last?.id)
  }, [isOpen, last?.id])
  const known = lines.findIndex(({ id }) => id === read) + 1
  const unread = lines.slice(known).filter((line) => line.kind === 'said' && line.from !== me).length
  return (
    <button type="button" className="talk-button" aria-expanded={isOpen} onClick={open}>
      <b>{talk.open}</b>
      <span>{last === undefined ? '' : sentenceOf(last, language)}</span>
      {!isOpen && unread > 0 && (
        <em>
          <span aria-hidden="true">{unread}</span>
          <span className="heard-only">{talk.unread(unread)}</span>
        </em>
      )}
    </button>
  )
}
