import type { BoardProps } from '../../client/board.ts'
import { Act } from './board-act.tsx'
import { Guesses, GuessField } from './board-guess.tsx'
import { Scores } from './board-scores.tsx'
import { Sign } from './board-sign.tsx'
import { SettledWords, WordCard } from './board-word.tsx'
import { type BoardWords, boardWords } from './board-words.ts'
import type rules from './rules.ts'
import { otherThan, type TeamName, tooFew } from './stage.ts'
import './board.css'

type Props = BoardProps<typeof rules>
type Game = NonNullable<Props['document']['game']>

/** What the viewer is in this turn. */
type Part = 'performer' | 'guesser' | 'rival' | 'watcher'

/** In the middle the scores, the time and what to do; at the seats the teams, and who performs. */
export default function Board({ document, me, room, language, now, attempt, AtSeat }: Props) {
  const words = boardWords[language]
  const { game } = document
  const { members, players } = document.room
  const nameOf = (id: string): string => members[id]?.name ?? words.somebody
  if (game === null) return null
  const own = teamOf(game, me)
  const part = partOf(game, me, own)
  const { phase, team, word } = game
  const performer = game.performer ?? game.next
  const performerName = performer === null ? words.somebody : nameOf(performer)
  const mayAct = part === 'performer' || (phase === 'acting' && part === 'guesser')

  return (
    <div className="charades" data-phase={phase} data-part={part}>
      <Scores game={game} own={own} words={words} />
      <header className="charades-head">
        <h2>{headingOf(game, part, performerName, words)}</h2>
        {game.endsAt !== null && <Countdown ms={game.endsAt - now} label={words.timeLeft} />}
      </header>
      <p role="status" className="charades-task" data-mine={mayAct || (own !== null && game.winner === own)}>
        {taskOf(game, part, own, performerName, words)}
      </p>
      {phase === 'acting' && team !== null && (
        <>
          {word === null ? (
            <p className="charades-hidden">{words.seenBy.others(performerName, otherThan(team))}</p>
          ) : (
            <WordCard
              word={word}
              language={language}
              label={words.word}
              seenBy={
                part === 'performer' ? words.seenBy.performer(otherThan(team)) : words.seenBy.rival(performerName)
              }
              takesFocus={part === 'performer'}
            />
          )}
          <Guesses guesses={game.guesses} me={me} nameOf={nameOf} words={words} />
        </>
      )}
      {phase !== 'acting' && (
        <SettledWords
          settled={game.words}
          label={words.words[phase]}
          language={language}
          nameOf={nameOf}
          words={words}
        />
      )}
      {phase === 'acting' && part === 'guesser' && (
        <GuessField words={words} guess={(text) => attempt(room.move.guess({ text }))} />
      )}
      {phase === 'acting' && part === 'performer' && (
        <Act className="button" act={() => attempt(room.move.skip({}))}>
          {words.skip}
        </Act>
      )}
      {phase === 'ready' && part === 'performer' && (
        <>
          <Act className="button primary large" act={() => attempt(room.move.begin({}))}>
            {words.begin}
          </Act>
          <p className="charades-alone">{words.beginsAlone}</p>
        </>
      )}
      {players.map((player) => {
        const side = teamOf(game, player)
        return (
          side !== null && (
            <AtSeat key={player} player={player}>
              <span className="charades-seat" data-performs={player === performer}>
                <Sign team={side} />
                <span className="heard-only">{words.teamAtSeat[side]}</span>
                {player === performer && phase !== 'over' && <span className="card-text">{words.atSeat[phase]}</span>}
              </span>
            </AtSeat>
          )
        )
      })}
    </div>
  )
}

const teamOf = ({ teams }: Game, player: string): TeamName | null => {
  if (teams.sun.includes(player)) return 'sun'
  return teams.moon.includes(player) ? 'moon' : null
}

const partOf = (game: Game, me: string, own: TeamName | null): Part => {
  if (own === null) return 'watcher'
  if ((game.performer ?? game.next) === me) return 'performer'
  return own === game.team ? 'guesser' : 'rival'
}

const headingOf = ({ phase, winner }: Game, part: Part, performer: string, words: BoardWords): string => {
  if (phase === 'over') return winner === null ? words.over : words.won[winner]
  if (part === 'performer') return phase === 'ready' ? words.youAreNext : words.youPerform
  return phase === 'ready' ? words.performsNext(performer) : words.performs(performer)
}

/** What this viewer can do now, or how it ended for this viewer, as a sentence. Pure. */
const taskOf = (game: Game, part: Part, own: TeamName | null, performer: string, words: BoardWords): string => {
  const { phase, team, winner } = game
  if (phase !== 'over' && team !== null) {
    const task = words.task[phase][part]
    return typeof task === 'string' ? task : task(performer, team)
  }
  const gone = tooFew(game)
  const reason = gone === null ? '' : words.gaveUp[gone]
  if (own === null || winner === null || winner === 'draw') return reason
  return `${reason} ${own === winner ? words.youWon : words.youLost}`.trim()
}

/** The page's time is that of the last whole second: what is begun of a second is over. */
const Countdown = ({ ms, label }: { ms: number; label: string }) => {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  return (
    <span className="charades-time" role="timer" aria-label={`${label} ${clock}`} data-soon={seconds <= 10}>
      {clock}
    </span>
  )
}
