import { pathOf } from '../path.ts'
import { usePolled } from '../polled.ts'
import { navigate } from '../route.ts'
import { fetchRooms, type Game, type PublicRoom } from '../server.ts'
import { titleIn, useLanguage, useWords } from '../words/words.ts'

const REFRESH_MS = 3_000

interface PublicRoomsProps {
  readonly games: readonly Game[]
  askName(): string | null
}

/** The rooms that anyone may join, as they are now. */
export const PublicRooms = ({ games, askName }: PublicRoomsProps) => {
  const { lobby } = useWords()
  const { value, error } = usePolled(fetchRooms, REFRESH_MS)
  const rooms = value?.filter(({ phase }) => phase !== 'over').sort(freeFirst) ?? []
  const enter = (room: string): void => {
    const name = askName()
    if (name !== null) navigate(pathOf(room, name))
  }
  return (
    <section aria-labelledby="rooms">
      <h2 id="rooms">{lobby.rooms}</h2>
      {error && <p className="wrong">{lobby.roomsTrouble}</p>}
      {value && rooms.length === 0 && <p className="empty">{lobby.noRooms}</p>}
      <ul className="rooms">
        {rooms.map((room) => (
          <Row key={room.room} room={room} title={titleOf(games, room.game)} enter={() => enter(room.room)} />
        ))}
      </ul>
    </section>
  )
}

const Row = ({ room, title, enter }: { room: PublicRoom; title: Game['title']; enter(): void }) => {
  const { lobby } = useWords()
  const name = titleIn(title, useLanguage())
  const isFree = canSit(room)
  const phase = room.phase === 'open' ? lobby.waiting : lobby.playing
  const action = isFree ? lobby.sit : lobby.watch
  return (
    <li>
      <div>
        <strong>{name}</strong> <span className="soft">{phase}</span>
        <div className="soft">{lobby.seats(room.players, room.seats)}</div>
      </div>
      <button
        type="button"
        className={isFree ? 'button primary' : 'button'}
        aria-label={`${action}: ${name}`}
        onClick={enter}
      >
        {action}
      </button>
    </li>
  )
}

const canSit = ({ phase, players, seats }: PublicRoom): boolean => phase === 'open' && players < seats
const freeFirst = (a: PublicRoom, b: PublicRoom): number => Number(canSit(b)) - Number(canSit(a))
const titleOf = (games: readonly Game[], id: string): Game['title'] => games.find((game) => game.id === id)?.title ?? id
