import { useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { gamePageOf, iconOf } from '../boards.ts'
import { Refused, useAttempts } from '../page/attempt.tsx'
import { pathOf } from '../path.ts'
import { navigate } from '../route.ts'
import type { Game } from '../server.ts'
import { tab } from '../tab.ts'
import { titleIn, useLanguage, useWords } from '../words/words.ts'
import { NewRoom } from './new-room.tsx'

interface GameCardProps {
  readonly game: Game
  /** The player's name, or null after asking for it. */
  askName(): string | null
}

/** One game: play with whoever waits, or open a room. */
export const GameCard = ({ game, askName }: GameCardProps) => {
  const { lobby } = useWords()
  const language = useLanguage()
  const title = titleIn(game.title, language)
  const about = gamePageOf(game.id)?.words[language].about
  const icon = iconOf(game.id)
  const attempts = useAttempts()
  const [isOpening, setOpening] = useState(false)
  const [min, max] = game.players

  const opener = useRef<HTMLButtonElement>(null)
  const cancel = (): void => {
    flushSync(() => setOpening(false))
    opener.current?.focus()
  }

  const playNow = async (name: string): Promise<void> => {
    const session = await tab.enter(name)
    navigate(pathOf(await session.match(game.id)))
  }
  const withName = (go: (name: string) => Promise<void>) => () => {
    const name = askName()
    if (name !== null && attempts.pending === 0) void attempts.attempt(go(name))
  }

  return (
    <li className="card" data-game={game.id} aria-busy={attempts.pending > 0}>
      <div className="card-head">
        {icon !== null && <span className="card-icon" style={{ maskImage: `url("${icon}")` }} />}
        <div>
          <h3>{title}</h3>
          <p className="soft">{lobby.players(min, max)}</p>
        </div>
      </div>
      {about !== undefined && <p className="about">{about}</p>}
      {isOpening ? (
        <NewRoom game={game} title={title} askName={askName} cancel={cancel} />
      ) : (
        <div className="actions">
          <button
            type="button"
            className="button primary"
            title={lobby.playNowHint}
            aria-label={`${lobby.playNow}: ${title}`}
            onClick={withName(playNow)}
          >
            {lobby.playNow}
          </button>
          <button
            ref={opener}
            type="button"
            className="button"
            aria-label={`${lobby.openRoom}: ${title}`}
            onClick={() => setOpening(true)}
          >
            {lobby.openRoom}
          </button>
        </div>
      )}
      <Refused attempts={attempts} />
    </li>
  )
}
