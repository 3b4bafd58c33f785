import { useEffect, useRef, useState } from 'react'
import type { PlayerId, RoomDocument } from '../../../client/client.ts'
import { useWords, type Words } from '../words/words.ts'

type RoomInfo = RoomDocument['room']

/** Tells those who hear the page who came and went. Not seen: the people are in view. */
export const News = ({ room, me }: { room: RoomInfo; me: PlayerId }) => {
  const words = useWords()
  const before = useRef(room)
  const [news, setNews] = useState('')
  useEffect(() => {
    const told = newsOf(before.current, room, me, words)
    before.current = room
    if (told !== '') setNews(told)
  }, [room, me, words])
  return (
    <p className="heard-only" aria-live="polite">
      {news}
    </p>
  )
}

/** What changed among the people, as sentences. Pure. */
const newsOf = (before: RoomInfo, now: RoomInfo, me: PlayerId, { room: words }: Words): string => {
  const told = Object.entries(now.members).flatMap(([id, { name, connected }]) => {
    const was = before.members[id]
    if (id === me) return []
    if (was === undefined) return [words.joined(name)]
    if (was.connected !== connected) return [connected ? words.cameBack(name) : words.wentAway(name)]
    return []
  })
  const gone = Object.entries(before.members).filter(([id]) => id !== me && now.members[id] === undefined)
  return [...told, ...gone.map(([, { name }]) => words.left(name))].join(' ')
}
