import type { PlayerId, Room, Source } from '../../../client/client.ts'
import type { OwnTrack } from '../../../client/media/types.ts'
import { gamePageOf } from '../boards.ts'
import { useStore } from '../store.ts'
import { useLanguage } from '../words/words.ts'
import { type Seen, seenBy } from './seen.ts'

const NOTHING: ReadonlyMap<Source, OwnTrack> = new Map()

/** By whom this page's player is seen and heard now. */
export const useSeen = ({ document, media }: Room, me: PlayerId): Seen => {
  const language = useLanguage()
  const { status } = useStore(media.state)
  const mine = useStore(media.mine)
  const words = gamePageOf(document.room.game)?.words[language]
  const reach = document.room.phase === 'playing' ? words?.reach?.(document, me) : null
  return seenBy(status === 'live' ? mine : NOTHING, reach ?? null)
}
