import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react'
import type { PlayerId, Room, Session } from '../../../client/client.ts'
import { useRoom } from '../../../client/react.ts'
import { gamePageOf } from '../boards.ts'
import { useKeys } from '../keys.ts'
import { JoinVideo } from '../media/join-video.tsx'
import { saySeenShort } from '../media/seen.ts'
import { useSeen } from '../media/use-seen.ts'
import { wishes } from '../media/wishes.ts'
import { Refused, useAttempts } from '../page/attempt.tsx'
import { Notice } from '../page/notice.tsx'
import { Rescue } from '../page/rescue.tsx'
import { Shell } from '../page/shell.tsx'
import { pathOf } from '../path.ts'
import { navigate } from '../route.ts'
import { useStore } from '../store.ts'
import { titleIn, useLanguage, useWords } from '../words/words.ts'
import { Afterwards } from './afterwards.tsx'
import { BoardPlace } from './board-place.tsx'
import { useCues } from './cues.ts'
import { happeningsOf } from './happenings.ts'
import { Latest } from './latest.tsx'
import { Leave } from './leave.tsx'
import { ownAudiences } from './notes.ts'
import { People } from './people.tsx'
import { freeSeats } from './places.ts'
import { Reach } from './reach.tsx'
import { Rim } from './rim.tsx'
import { RoomRefused } from './room-refused.tsx'
import { Seats, SeatsContext } from './seats.tsx'
import { useServerSeconds } from './server-seconds.ts'
import { Talk } from './talk.tsx'
import { TalkButton } from './talk-button.tsx'
import { useGame } from './the-game.ts'
import { Waiting } from './waiting.tsx'

const TableVideo = lazy(() => import('../media/table-video.tsx'))

interface TableProps {
  readonly session: Session
  readonly room: Room
  readonly me: PlayerId
}

/** A room with everything in it: in the middle what happens now, the people around it, and what is said. */
export const Table = ({ session, room, me }: TableProps) => {
  const { notice, room: words, media: mediaWords } = useWords()
  const { document, role, closed } = useRoom(room)
  const { phase, game: gameId, next } = document.room
  const game = useGame(gameId)
  const title = titleIn(game?.title ?? gameId, useLanguage())
  const attempts = useAttempts()
  const [seats] = useState(() => new Seats())
  const [isTalkOpen, setTalkOpen] = useState(false)
  const happenings = happeningsOf(session, room)
  const seen = useSeen(room, me)
  const hasVideo = useStore(wishes)?.video ?? false
  const audiences = useStore(happenings.audiences) ?? ownAudiences(role)
  const now = useServerSeconds(session, phase === 'playing')
  const standing = useMemo(
    () => (document.game === null ? null : (gamePageOf(gameId)?.standing(document, me) ?? null)),
    [document, gameId, me],
  )
  const isMine = phase === 'playing' && (standing?.active.includes(me) ?? false)
  useCues(room, standing, me, now)
  useNight(phase === 'playing' && (standing?.isNight ?? false))
  useKeys(
    useMemo(
      () => ({
        t: () => {
          setTalkOpen(true)
          // At once, so that no letter is lost; the sheet of a phone can take the focus only once it is drawn.
          focusOn('.composer-text', '.lines')
          requestAnimationFrame(() => focusOn('.composer-text', '.lines'))
        },
        b: () => focusOn('.board [tabindex="0"]', '.board button', '.people .slot button', '.waiting button'),
        escape: () => setTalkOpen(false),
      }),
      [],
    ),
  )

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
      <h1 className="title">{title}</h1>
      <Leave isCostly={phase === 'playing' && role === 'player'} isBusy={attempts.pending > 0} leave={leave} />
    </>
  )
  const free = phase === 'open' && game !== null ? freeSeats(document.room.players.length, game.players) : 0
  return (
    <Shell title={isMine ? `● ${words.yourTurnTitle} · ${title}` : title} bar={bar}>
      <SeatsContext value={seats}>
        <div className="table" data-phase={phase} data-game={gameId} data-mine={isMine}>
          <Latest happenings={happenings} me={me} />
          <Reach
            session={session}
            happenings={happenings}
            game={gameId}
            audiences={audiences}
            role={role}
            seen={seen}
          />
          {hasVideo ? (
            // Whatever becomes of video, the game goes on.
            <Rescue instead={<p className="video-line">{mediaWords.failed}</p>}>
              <Suspense fallback={null}>
                <TableVideo room={room} info={document.room} me={me} role={role} />
              </Suspense>
            </Rescue>
          ) : (
            <JoinVideo />
          )}
          <div className="courtyard">
            <div className="mat" aria-hidden="true">
              <Rim endsAt={phase === 'playing' ? (standing?.endsAt ?? null) : null} now={now} />
            </div>
            <div className="middle">
              {role === 'spectator' && (
                <p className="watching">{phase === 'open' ? words.watchingFull : words.watching}</p>
              )}
              {phase === 'open' ? (
                <Waiting session={session} room={room} info={document.room} me={me} role={role} game={game} />
              ) : (
                <BoardPlace room={room} document={document} me={me} now={now} attempt={attempts.attempt} />
              )}
              {phase === 'over' && (
                <Afterwards room={room} info={document.room} me={me} role={role} attempts={attempts} />
              )}
              <Refused attempts={attempts} />
            </div>
            <People
              room={room}
              info={document.room}
              me={me}
              standing={phase === 'open' ? null : standing}
              free={free}
              seen={saySeenShort(mediaWords.seen, seen)}
              attempt={attempts.attempt}
            />
            <TalkButton happenings={happenings} me={me} isOpen={isTalkOpen} open={() => setTalkOpen(true)} />
          </div>
          <Talk
            room={room}
            happenings={happenings}
            audiences={audiences}
            me={me}
            isOpen={isTalkOpen}
            close={() => setTalkOpen(false)}
          />
        </div>
      </SeatsContext>
    </Shell>
  )
}

/** Dims the page while it is night in the game. */
const useNight = (isNight: boolean): void => {
  useEffect(() => {
    if (!isNight) return
    document.documentElement.dataset.night = ''
    return () => {
      delete document.documentElement.dataset.night
    }
  }, [isNight])
}

/** Moves the keyboard to the first of these that is on the page. */
const focusOn = (...selectors: string[]): void => {
  const element = selectors.map((selector) => document.querySelector(selector)).find((found) => found !== null)
  if (element instanceof HTMLElement) element.focus()
}
