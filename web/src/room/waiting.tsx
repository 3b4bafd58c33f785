import type { PlayerId, Role, Room, RoomDocument, Session } from '../../../client/client.ts'
import { Refused, useAttempts } from '../page/attempt.tsx'
import type { Game } from '../server.ts'
import { titleIn, useLanguage, useWords } from '../words/words.ts'
import { Invite } from './invite.tsx'

interface WaitingProps {
  readonly session: Session
  readonly room: Room
  readonly info: RoomDocument['room']
  readonly me: PlayerId
  readonly role: Role
  /** Null until it is known. */
  readonly game: Game | null
}

/** Before the game: how many are missing, the link for them, and the start. */
export const Waiting = ({ session, room, info, me, role, game }: WaitingProps) => {
  const { somebody, room: words } = useWords()
  const language = useLanguage()
  const attempts = useAttempts()
  const here = info.players.length
  const [min, max] = game?.players ?? [here, here]
  const missing = Math.max(0, min - here)
  const free = Math.max(0, max - here)
  const isHost = info.host === me
  const hasStart = isHost && game !== null && !game.autoStart

  const says = (): string => {
    if (game === null) return ''
    if (missing > 0) return words.needed(missing)
    if (game.autoStart) return words.startsItself
    if (isHost) return words.mayStart(free)
    return words.hostStarts(info.members[info.host]?.name ?? somebody)
  }
  return (
    <section className="waiting" aria-labelledby="waiting">
      <h2 id="waiting">{missing > 0 || game === null ? words.waiting : free > 0 ? words.enough : words.allHere}</h2>
      <p role="status" id="needed">
        {says()}
      </p>
      {free > 0 && <Invite room={room.id} title={titleIn(game?.title ?? info.game, language)} />}
      {hasStart && (
        <button
          type="button"
          className="button primary large start"
          aria-disabled={missing > 0}
          aria-describedby="needed"
          aria-busy={attempts.pending > 0}
          onClick={() => {
            if (missing === 0 && attempts.pending === 0) void attempts.attempt(room.start())
          }}
        >
          {words.start}
        </button>
      )}
      {role === 'spectator' && free > 0 && (
        <button
          type="button"
          className="button primary large"
          onClick={() => void attempts.attempt(session.join(room.id, { role: 'player' }))}
        >
          {words.takeSeat}
        </button>
      )}
      <Refused attempts={attempts} />
    </section>
  )
}
