import type { BoardProps } from '../../client/board.ts'
import type { BoardWords } from './board-words.ts'
import type rules from './rules.ts'

interface AliveListProps {
  readonly game: NonNullable<BoardProps<typeof rules>['document']['game']>
  readonly me: string
  /** Whom this player may vote against now. */
  readonly targets: readonly string[]
  readonly nameOf: (id: string) => string
  readonly words: BoardWords
  vote(target: string): void
}

/** Those who live, the votes against each, and the buttons to vote. */
export const AliveList = ({ game, me, targets, nameOf, words, vote }: AliveListProps) => {
  const votes = Object.entries(game.votes ?? {})
  return (
    <section aria-label={words.alive}>
      <h2>{words.alive}</h2>
      <ul className="mafia-alive">
        {game.alive.map((id) => {
          const voters = votes.filter(([, target]) => target === id).map(([voter]) => voter)
          const isMine = voters.includes(me)
          const shownRole = game.mafia?.includes(id) ? 'mafia' : undefined
          return (
            <li key={id} data-player-id={id} data-role={shownRole} data-mine={isMine}>
              <div className="mafia-who">
                <span>
                  {nameOf(id)}
                  {id === me && <small> ({words.you})</small>}
                </span>
                {shownRole && <small className="mafia-mark">{words.roleName.mafia}</small>}
                {voters.length > 0 && (
                  <small className="mafia-votes">
                    {words.votesAgainst(voters.length)} · {words.by(voters.map(nameOf).join(', '))}
                  </small>
                )}
              </div>
              {targets.includes(id) && (
                <button
                  type="button"
                  className="button vote"
                  aria-pressed={isMine}
                  aria-label={words.voteFor(nameOf(id))}
                  onClick={() => vote(id)}
                >
                  {words.vote}
                </button>
              )}
            </li>
          )
        })}
      </ul>
    </section>
  )
}
