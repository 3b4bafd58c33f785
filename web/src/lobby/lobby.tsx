import { useCallback, useRef, useState } from 'react'
import { Link } from '../page/link.tsx'
import { Shell } from '../page/shell.tsx'
import { usePolled } from '../polled.ts'
import { fetchGames } from '../server.ts'
import { useWords } from '../words/words.ts'
import { CourtyardPicture } from './courtyard-picture.tsx'
import { GameCard } from './game-card.tsx'
import { JoinByLink } from './join-by-link.tsx'
import { PublicRooms } from './public-rooms.tsx'
import { NAME_CHARACTERS, useYourName } from './your-name.ts'

/** `/`: who you are, what can be played, and where people wait. */
export const Lobby = () => {
  const { tagline, taglineMore, name: nameWords, lobby } = useWords()
  const [name, setName] = useYourName()
  const [isNameMissing, setNameMissing] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const games = usePolled(fetchGames, null)

  /** The name, or null after asking for it. */
  const askName = useCallback((): string | null => {
    const given = name.trim()
    setNameMissing(given === '')
    if (given !== '') return given
    field.current?.focus()
    return null
  }, [name])

  return (
    <Shell title="Madang">
      <div className="lobby">
        <section className="welcome">
          <h1>{tagline}</h1>
          <p className="more">{taglineMore}</p>
          <label className="field">
            <span>{nameWords.label}</span>
            <input
              ref={field}
              value={name}
              maxLength={NAME_CHARACTERS}
              autoComplete="nickname"
              aria-invalid={isNameMissing}
              aria-describedby="name-hint"
              onChange={(event) => {
                setName(event.target.value)
                setNameMissing(false)
              }}
            />
            <small id="name-hint" className={isNameMissing ? 'wrong' : ''} role={isNameMissing ? 'alert' : undefined}>
              {isNameMissing ? nameWords.missing : nameWords.hint}
            </small>
          </label>
        </section>
        <CourtyardPicture />

        <section aria-labelledby="games">
          <h2 id="games">{lobby.play}</h2>
          {games.value === null && <p className="empty">{games.error ? lobby.gamesTrouble : lobby.loadingGames}</p>}
          {games.value?.length === 0 && <p className="empty">{lobby.noGames}</p>}
          <ul className="cards">
            {games.value?.map((game) => (
              <GameCard key={game.id} game={game} askName={askName} />
            ))}
          </ul>
        </section>

        <div className="lobby-side">
          <PublicRooms games={games.value ?? []} askName={askName} />
          <JoinByLink askName={askName} />
          <p className="more">
            <Link to="/transports">{lobby.transports}</Link>
          </p>
        </div>
      </div>
    </Shell>
  )
}
