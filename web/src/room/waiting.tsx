import type { PlayerId, Role, Room, RoomDocument, Session } from '../../../client/client.ts'
import { Refused, useAttempts } from '../page/attempt.tsx'
import { useWords } from '../words/words.ts'
import { Invite } from './invite.tsx'

interface WaitingProps {
  readonly session: Session
  readonly room: Room
  readonly info: RoomDocument['room']
  readonly me: PlayerId
  readonly role: Role
  /** Fewest and most players of the game, once known. */
  readonly players: readonly [min: number, max: number] | null
}

/** Before the game: how many are missing, the link for them, and the start. */
export const Waiting = ({ session, room, info, me, role, players }: WaitingProps) => {
  const { somebody, room: words } = useWords()
  const attempts = useAttempts()
  const here = info.players.length
  const missing = players === null ? 0 : Math.max(0, players[0] - here)
  const free = players === null ? 0 : Math.max(0, players[1] - here)
  const isHost = info.host === me
  // Where all seats must be taken the game mostly starts by itself: the button is for those that do not.
  const hasStart = isHost && players !== null && (players[0] !== players[1] || missing === 0)

  const says = (): string => {
    if (players === null) return ''
    if (missing > 0) return words.needed(missing)
    if (isHost) return words.mayStart(free)
    return words.hostStarts(info.members[info.host]?.name ?? somebody)
  }
  return (
    <section className="waiting" aria-labelledby="waiting">
      <h1 id="waiting">{missing > 0 || players === null ? words.waiting : free > 0 ? words.enough : words.allHere}</h1>
      <p role="status" id="needed">
        {says()}
      </p>
      {hasStart && (
        <button
          type="button"
          className="button primary large"
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
          className="button primary"
          onClick={() => void attempts.attempt(session.join(room.id, { role: 'player' }))}
        >
          {words.takeSeat}
        </button>
      )}
      <Refused attempts={attempts} />
      {free > 0 && <Invite room={room.id} />}
    </section>
  )
}
