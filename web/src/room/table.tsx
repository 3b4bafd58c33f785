import { useEffect, useRef } from 'react'
import type { PlayerId, Room, Session } from '../../../client/client.ts'
import { useRoom } from '../../../client/react.ts'
import { Refused, useAttempts } from '../page/attempt.tsx'
import { Notice } from '../page/notice.tsx'
import { Shell } from '../page/shell.tsx'
import { pathOf } from '../path.ts'
import { navigate } from '../route.ts'
import { titleIn, useLanguage, useWords } from '../words/words.ts'
import { Afterwards } from './afterwards.tsx'
import { BoardPlace } from './board-place.tsx'
import { Leave } from './leave.tsx'
import { News } from './news.tsx'
import { People } from './people.tsx'
import { RoomRefused } from './room-refused.tsx'
import { useGame } from './the-game.ts'
import { Waiting } from './waiting.tsx'

interface TableProps {
  readonly session: Session
  readonly room: Room
  readonly me: PlayerId
}

/** A room with everything in it: the people, and in the middle what happens now. */
export const Table = ({ session, room, me }: TableProps) => {
  const { notice, room: words } = useWords()
  const { document, role, closed } = useRoom(room)
  const { phase, game: gameId, next } = document.room
  const game = useGame(gameId)
  const title = titleIn(game?.title ?? gameId, useLanguage())
  const attempts = useAttempts()

  // Who saw the end goes along to the next game; who opens the old link later is asked.
  const nextAtFirst = useRef(next)
  useEffect(() => {
    if (next !== undefined && next !== nextAtFirst.current) navigate(pathOf(next))
  }, [next])

  if (closed?.why === 'kicked') return <Notice title={notice.kicked} hint={notice.kickedHint} />
  if (closed?.why === 'refused') return <RoomRefused error={closed.error} retry={() => location.reload()} />
  const leave = async (): Promise<void> => {
    if (await attempts.attempt(room.leave())) navigate('/')
  }
  const bar = (
    <>
      <span className="title">{title}</span>
      <Leave isCostly={phase === 'playing' && role === 'player'} isBusy={attempts.pending > 0} leave={leave} />
    </>
  )
  return (
    <Shell title={title} bar={bar}>
      <div className="table" data-phase={phase} data-game={gameId}>
        <News room={document.room} me={me} />
        <People room={room} info={document.room} me={me} attempt={attempts.attempt} />
        {role === 'spectator' && <p className="watching">{phase === 'open' ? words.watchingFull : words.watching}</p>}
        {phase === 'open' ? (
          <Waiting
            session={session}
            room={room}
            info={document.room}
            me={me}
            role={role}
            players={game?.players ?? null}
          />
        ) : (
          <BoardPlace session={session} room={room} document={document} me={me} attempt={attempts.attempt} />
        )}
        {phase === 'over' && <Afterwards room={room} info={document.room} me={me} role={role} attempts={attempts} />}
        <Refused attempts={attempts} />
      </div>
    </Shell>
  )
}
