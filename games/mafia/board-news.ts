import { useEffect, useRef, useState } from 'react'
import type { Room } from '../../client/client.ts'
import type { BoardWords } from './board-words.ts'
import type rules from './rules.ts'
import type { Role } from './town.ts'

type News =
  | { readonly type: 'death'; readonly player: string; readonly role: Role; readonly left: boolean }
  | { readonly type: 'spared' }

/** The last verdict as a sentence; '' until there is one. */
export const useNews = (room: Room<typeof rules>, words: BoardWords, nameOf: (id: string) => string): string => {
  const [news, setNews] = useState<News | null>(null)
  useEffect(
    () =>
      room.on('emit', (event) => {
        const { type, player, role, cause } = event
        if (type === 'spared') setNews({ type })
        if (type === 'death' && typeof player === 'string' && (role === 'mafia' || role === 'citizen'))
          setNews({ type, player, role, left: cause === 'left' })
      }),
    [room],
  )
  // Who is out may be gone from the members a moment later.
  const names = useRef(new Map<string, string>())
  if (news === null) return ''
  if (news.type === 'spared') return words.spared
  const name = names.current.get(news.player) ?? nameOf(news.player)
  names.current.set(news.player, name)
  return (news.left ? words.left : words.died)[news.role](name)
}
