import type { PlayerId, Room, RoomDocument } from '../../../client/client.ts'
import { useWords } from '../words/words.ts'
import { Mask } from './mask.tsx'

interface PeopleProps {
  readonly room: Room
  readonly info: RoomDocument['room']
  readonly me: PlayerId
  attempt(request: Promise<unknown>): Promise<boolean>
}

/** The players in the order of their seats, the same for everyone, with who is here. */
export const People = ({ room, info, me, attempt }: PeopleProps) => {
  const { you, somebody, room: words } = useWords()
  const mayRemove = info.host === me && info.phase === 'open'
  if (info.players.length === 0) return <p className="empty">{words.nobody}</p>
  return (
    <ul className="people" aria-label={words.people}>
      {info.players.map((id) => {
        const { name = somebody, connected = false } = info.members[id] ?? {}
        return (
          <li key={id} data-player-id={id} data-connected={connected} data-you={id === me}>
            <Mask id={id} />
            <span className="name">{name}</span>
            <span className="soft">
              {[id === me && you, id === info.host && words.host, !connected && words.away].filter(Boolean).join(' · ')}
              {connected && <span className="heard-only"> {words.here}</span>}
            </span>
            {mayRemove && id !== me && (
              <button
                type="button"
                className="quiet danger"
                aria-label={words.remove(name)}
                onClick={() => void attempt(room.kick(id))}
              >
                {words.removeShort}
              </button>
            )}
          </li>
        )
      })}
    </ul>
  )
}
