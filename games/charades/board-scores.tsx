import type { BoardProps } from '../../client/board.ts'
import { Sign } from './board-sign.tsx'
import type { BoardWords } from './board-words.ts'
import type rules from './rules.ts'
import { TEAMS, type TeamName } from './stage.ts'

interface ScoresProps {
  readonly game: NonNullable<BoardProps<typeof rules>['document']['game']>
  /** The viewer's team. */
  readonly own: TeamName | null
  readonly words: BoardWords
}

/** The points of both teams; whose turn it is, or which won, stands out. */
export const Scores = ({ game: { scores, team, turn, turns, winner }, own, words }: ScoresProps) => (
  <div className="charades-scores">
    <ul aria-label={words.scores}>
      {TEAMS.map((side) => (
        <li key={side} data-team={side} data-on={(team ?? winner) === side} data-own={own === side}>
          <Sign team={side} />
          <span className="charades-team">
            {words.team[side]}
            {own === side && <span className="heard-only"> ({words.yours})</span>}
          </span>
          <b>{scores[side]}</b>
        </li>
      ))}
    </ul>
    <p>{words.turn(turn, turns)}</p>
  </div>
)
