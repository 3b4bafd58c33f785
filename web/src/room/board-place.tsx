import { Suspense } from 'react'
import type { PlayerId, Room, RoomDocument, Session } from '../../../client/client.ts'
import { boardOf } from '../boards.ts'
import { Rescue } from '../page/rescue.tsx'
import { useLanguage, useWords } from '../words/words.ts'
import { useServerSeconds } from './server-seconds.ts'

interface BoardPlaceProps {
  readonly session: Session
  readonly room: Room
  readonly document: RoomDocument<object>
  readonly me: PlayerId
  attempt(request: Promise<unknown>): Promise<boolean>
}

/** The middle of the table: the game's own board. */
export const BoardPlace = ({ session, room, document, me, attempt }: BoardPlaceProps) => {
  const { room: words } = useWords()
  const language = useLanguage()
  const now = useServerSeconds(session, document.room.phase === 'playing')
  const Board = boardOf(document.room.game)
  if (Board === null) return <p className="empty">{words.noBoard}</p>
  if (document.game === null) return null
  return (
    <section className="board">
      <Rescue instead={<BoardTrouble />}>
        <Suspense fallback={null}>
          <Board document={document} me={me} room={room} language={language} now={now} attempt={attempt} />
        </Suspense>
      </Rescue>
    </section>
  )
}

const BoardTrouble = () => {
  const { room: words } = useWords()
  return (
    <div className="notice" role="alert">
      <p>{words.boardTrouble}</p>
      <button type="button" className="button primary" onClick={() => location.reload()}>
        {words.reload}
      </button>
    </div>
  )
}
