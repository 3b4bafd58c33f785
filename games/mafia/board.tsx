import type { BoardProps } from '../../client/board.ts'
import { AliveList } from './board-alive.tsx'
import { useNews } from './board-news.ts'
import { type BoardWords, boardWords } from './board-words.ts'
import type rules from './rules.ts'
import './board.css'

type Props = BoardProps<typeof rules>
type Game = NonNullable<Props['document']['game']>

/** The phase and its time, one's own role, and the town with its votes. */
export default function Board({ document, me, room, language, now, attempt }: Props) {
  const words = boardWords[language]
  const { game } = document
  const { members } = document.room
  const nameOf = (id: string): string => members[id]?.name ?? words.somebody
  const news = useNews(room, words, nameOf)
  if (game === null) return null
  const mayVote = game.alive.includes(me) && (game.phase === 'day' || (game.phase === 'night' && game.role === 'mafia'))
  const targets = mayVote ? game.alive.filter((id) => game.phase === 'day' || !game.mafia?.includes(id)) : []

  return (
    <div className="mafia" data-phase={game.phase}>
      <header className="mafia-head">
        <PhaseSign phase={game.phase} />
        <h1>{game.phase === 'over' ? words.over : words[game.phase](game.round)}</h1>
        {game.endsAt !== null && <Countdown ms={game.endsAt - now} label={words.timeLeft} />}
      </header>
      <Secret game={game} me={me} nameOf={nameOf} words={words} />
      <div role="status" className="mafia-status">
        {news !== '' && <p>{news}</p>}
        <p className="mafia-task" data-mine={mayVote}>
          {taskOf(game, me, words)}
        </p>
      </div>
      {game.votes && (
        <p className="mafia-turnout">
          {words.voted(Object.keys(game.votes).length, game.phase === 'day' ? game.alive.length : livingMafia(game))}
        </p>
      )}
      <AliveList
        game={game}
        me={me}
        targets={targets}
        nameOf={nameOf}
        words={words}
        vote={(target) => attempt(room.move.vote({ target }))}
      />
      <DeadList dead={game.dead} nameOf={nameOf} words={words} />
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

const DeadList = ({ dead, nameOf, words }: Pick<SecretProps, 'nameOf' | 'words'> & Pick<Game, 'dead'>) => {
  const entries = Object.entries(dead)
  if (entries.length === 0) return null
  return (
    <section className="mafia-dead" aria-label={words.dead}>
      <h2>{words.dead}</h2>
      <ul>
        {entries.map(([id, role]) => (
          <li key={id} data-role={role}>
            <s>{nameOf(id)}</s> <span>{words.roleName[role]}</span>
          </li>
        ))}
      </ul>
    </section>
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

const PhaseSign = ({ phase }: Pick<Game, 'phase'>) => (
  <svg className="mafia-sign" viewBox="0 0 32 32" aria-hidden="true">
    {phase === 'night' ? (
      <path d="M21 4a12.5 12.5 0 1 0 7 18A10.5 10.5 0 0 1 21 4z" />
    ) : (
      <circle cx="16" cy="16" r="9" />
    )}
  </svg>
)
