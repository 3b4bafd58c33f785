import { useEffect, useState } from 'react'
import type { GameEvent, Room } from '../../client/client.ts'
import type { BoardWords } from './board-words.ts'
import type rules from './rules.ts'
import { sayEvent } from './say-event.ts'

/** The last verdict as a sentence; '' until there is one. */
export const useNews = (room: Room<typeof rules>, words: BoardWords, nameOf: (id: string) => string): string => {
  const [verdict, setVerdict] = useState<{ event: GameEvent; name: string } | null>(null)
  useEffect(
    () =>
      room.on('emit', (event) => {
        if (event.type === 'end') return
        // Now: who is out may be gone from the members a moment later.
        const name = typeof event.player === 'string' ? room.document.room.members[event.player]?.name : undefined
        setVerdict({ event, name: name ?? '' })
      }),
    [room],
  )
  return verdict === null ? '' : (sayEvent(words, verdict.event, (id) => verdict.name || nameOf(id)) ?? '')
}
