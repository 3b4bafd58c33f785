import type { BoardProps } from '../../client/board.ts'
import { useNews } from './board-news.ts'
import { Seat } from './board-seat.tsx'
import { useTravellingVotes } from './board-votes.ts'
import { type BoardWords, boardWords } from './board-words.ts'
import type rules from './rules.ts'
import './board.css'

type Props = BoardProps<typeof rules>
type Game = NonNullable<Props['document']['game']>

/** In the middle the sky, the time, one's own role and what to do; at the seats the votes. */
export default function Board({ document, me, room, language, now, attempt, AtSeat, Face, faceOf }: Props) {
  const words = boardWords[language]
  const { game } = document
  const { members, players } = document.room
  const nameOf = (id: string): string => members[id]?.name ?? words.somebody
  const news = useNews(room, words, nameOf)
  useTravellingVotes(game?.votes ?? null, faceOf)
  if (game === null) return null
  const mayVote = game.alive.includes(me) && (game.phase === 'day' || (game.phase === 'night' && game.role === 'mafia'))
  const targets = mayVote ? game.alive.filter((id) => game.phase === 'day' || !game.mafia?.includes(id)) : []

  return (
    <div className="mafia" data-phase={game.phase}>
      <Sky phase={game.phase} />
      <header className="mafia-head">
        <h2>{game.phase === 'over' ? words.over : words[game.phase](game.round)}</h2>
        {game.endsAt !== null && <Countdown ms={game.endsAt - now} label={words.timeLeft} />}
      </header>
      <div role="status" className="mafia-status">
        {news !== '' && <p className="mafia-news">{news}</p>}
        <p className="mafia-task" data-mine={mayVote}>
          {taskOf(game, me, words)}
        </p>
      </div>
      {game.votes && (
        <p className="mafia-turnout">
          {words.voted(Object.keys(game.votes).length, game.phase === 'day' ? game.alive.length : livingMafia(game))}
        </p>
      )}
      <Secret game={game} me={me} nameOf={nameOf} words={words} />
      {players.map((player) => (
        <AtSeat key={player} player={player}>
          <Seat
            game={game}
            player={player}
            me={me}
            isTarget={targets.includes(player)}
            nameOf={nameOf}
            words={words}
            Face={Face}
            vote={() => void attempt(room.move.vote({ target: player }))}
          />
        </AtSeat>
      ))}
    </div>
  )
}

const livingMafia = ({ alive, mafia }: Game): number => alive.filter((id) => mafia?.includes(id)).length

/** What this viewer can do now, as a sentence. Pure. */
const taskOf = (game: Game, me: string, words: BoardWords): string => {
  if (game.phase === 'over') {
    if (game.winner === null) return words.over
    const own = game.role === null ? '' : ` ${game.role === game.winner ? words.youWon : words.youLost}`
    return `${words.won[game.winner]}${own}`
  }
  if (game.role === null) return words.watching
  if (!game.alive.includes(me)) return words.youAreOut
  if (game.phase === 'day') return words.discuss
  return game.role === 'mafia' ? words.choose : words.sleep
}

interface SecretProps {
  readonly game: Game
  readonly me: string
  readonly nameOf: (id: string) => string
  readonly words: BoardWords
}

/** One's own role, and for the mafia its others. */
const Secret = ({ game, me, nameOf, words }: SecretProps) => {
  if (game.role === null || game.phase === 'over') return null
  const others = game.mafia?.filter((id) => id !== me).map(nameOf) ?? []
  return (
    <p className="mafia-secret">
      <strong>{words.role[game.role]}</strong>{' '}
      {others.length > 0 ? words.mafiaAre([words.you, ...others].join(', ')) : words.onlyYou}
    </p>
  )
}

const Countdown = ({ ms, label }: { ms: number; label: string }) => {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  return (
    <span className="mafia-time" role="timer" aria-label={`${label} ${clock}`} data-soon={seconds <= 10}>
      {clock}
    </span>
  )
}

/** The sky over the town: a wheel with the sun on one side and the moon on the other, half of it above the roofs. */
const Sky = ({ phase }: Pick<Game, 'phase'>) => (
  <svg className="mafia-sky" viewBox="0 0 200 100" aria-hidden="true">
    <g className="mafia-wheel" data-phase={phase}>
      <circle className="mafia-sun" cx="100" cy="44" r="21" />
      <g className="mafia-moon">
        <path d="M108 140a21 21 0 1 0 13 30 17 17 0 0 1-13-30z" />
        <circle cx="62" cy="150" r="1.8" />
        <circle cx="150" cy="140" r="1.5" />
        <circle cx="140" cy="168" r="2" />
      </g>
    </g>
    <path
      className="mafia-roofs"
      d="M40 96c11-1 18-6 22-15h76c4 9 11 14 22 15v4H40zM64 76h72v4H64zM8 99c6-1 10-4 13-9h22l-5 10H8zM192 99c-6-1-10-4-13-9h-22l5 10h30z"
    />
  </svg>
)
