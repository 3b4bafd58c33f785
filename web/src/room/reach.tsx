import type { Role, Session } from '../../../client/client.ts'
import { useSession } from '../../../client/react.ts'
import { type Seen, saySeen } from '../media/seen.ts'
import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import type { Happenings } from './happenings.ts'
import { useAudienceName } from './talk.tsx'

interface ReachProps {
  readonly session: Session
  readonly happenings: Happenings
  readonly game: string
  /** To whom this player may write now. */
  readonly audiences: readonly string[]
  /** Who only watches is not seen. */
  readonly role: Role
  readonly seen: Seen
}

/** Always in view: whether one is connected, and by whom one is seen, heard and read. */
export const Reach = ({ session, happenings, game, audiences, role, seen }: ReachProps) => {
  const { connection, room, talk, media } = useWords()
  const { status } = useSession(session)
  const onlookers = useStore(happenings.onlookers)
  const audienceName = useAudienceName(game)
  const link = {
    online: connection.online,
    connecting: connection.connectingShort,
    reconnecting: connection.reconnectingShort,
    offline: connection.offlineShort,
    closed: connection.offlineShort,
  }[status]
  const isHidden = audiences.length > 0 && !audiences.includes('players')
  const readBy = (): string => {
    if (audiences.length === 0) return talk.nobody
    return isHidden ? talk.reach(audiences.map(audienceName).join(', ')) : talk.reachAll
  }
  return (
    <p className="reach" data-hidden={isHidden}>
      <span className="link-state" data-status={status}>
        {link}
      </span>
      <span className="read-by">{readBy()}</span>
      {role === 'player' && (
        <span className="seen-as" data-hidden={seen.sight.to === 'nobody' || seen.sight.to === 'only'}>
          {saySeen(media.seen, seen)}
        </span>
      )}
      {onlookers > 0 && <span className="onlookers">{room.onlookers(onlookers)}</span>}
    </p>
  )
}
