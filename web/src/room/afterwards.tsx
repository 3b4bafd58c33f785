import type { PlayerId, Role, Room, RoomDocument } from '../../../client/client.ts'
import type { Attempts } from '../page/attempt.tsx'
import { Link } from '../page/link.tsx'
import { pathOf } from '../path.ts'
import { navigate } from '../route.ts'
import { useWords } from '../words/words.ts'

interface AfterwardsProps {
  readonly room: Room
  readonly info: RoomDocument['room']
  readonly me: PlayerId
  readonly role: Role
  readonly attempts: Attempts
}

/** What to do once the game is over: again, or along with those who went on. */
export const Afterwards = ({ room, info, me, role, attempts }: AfterwardsProps) => {
  const { toLobby, room: words } = useWords()
  const { next } = info
  const mayRepeat = role === 'player' || info.host === me
  const again = async (): Promise<void> => navigate(pathOf(await room.again()))
  return (
    <section className="afterwards">
      <p>{next === undefined ? words.over : words.overHere}</p>
      <div className="actions">
        {next !== undefined && (
          <Link className="button primary" to={pathOf(next)}>
            {words.goOn}
          </Link>
        )}
        {next === undefined && mayRepeat && (
          <button
            type="button"
            className="button primary"
            aria-busy={attempts.pending > 0}
            onClick={() => {
              if (attempts.pending === 0) void attempts.attempt(again())
            }}
          >
            {words.again}
          </button>
        )}
        <Link className="button" to="/">
          {toLobby}
        </Link>
      </div>
    </section>
  )
}
