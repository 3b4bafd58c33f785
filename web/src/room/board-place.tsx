import { Suspense } from 'react'
import type { PlayerId, Room, RoomDocument } from '../../../client/client.ts'
import { boardOf } from '../boards.ts'
import { Rescue } from '../page/rescue.tsx'
import { useLanguage, useWords } from '../words/words.ts'
import { Mask } from './mask.tsx'
import { PlainBoard } from './plain-board.tsx'
import { AtSeat, faceOf } from './seats.tsx'

interface BoardPlaceProps {
  readonly room: Room
  readonly document: RoomDocument<object>
  readonly me: PlayerId
  /** The server's time. */
  readonly now: number
  attempt(request: Promise<unknown>): Promise<boolean>
}

/** The middle of the table: the game's own board. */
export const BoardPlace = ({ room, document, me, now, attempt }: BoardPlaceProps) => {
  const { room: words } = useWords()
  const language = useLanguage()
  const Board = boardOf(document.room.game)
  if (document.game === null) return null
  if (Board === null) return <PlainBoard room={room} document={document} me={me} attempt={attempt} />
  return (
    <section className="board" aria-label={words.table}>
      <Rescue instead={<BoardTrouble />}>
        <Suspense fallback={null}>
          <Board
            document={document}
            me={me}
            room={room}
            language={language}
            now={now}
            attempt={attempt}
            AtSeat={AtSeat}
            Face={Face}
            faceOf={faceOf}
          />
        </Suspense>
      </Rescue>
    </section>
  )
}

const Face = ({ player }: { player: PlayerId }) => <Mask id={player} />

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
