import type { BoardProps } from '../../client/board.ts'
import type { BoardWords } from './board-words.ts'
import type rules from './rules.ts'

type Props = BoardProps<typeof rules>

interface SeatProps extends Pick<Props, 'Face' | 'me'> {
  readonly game: NonNullable<Props['document']['game']>
  readonly player: string
  /** Whether this page's player may vote against this one now. */
  readonly isTarget: boolean
  readonly nameOf: (id: string) => string
  readonly words: BoardWords
  vote(): void
}

/** What the town shows at a player's seat: the role where it is known, the votes against, and the button to vote. */
export const Seat = ({ game, player, me, isTarget, nameOf, words, Face, vote }: SeatProps) => {
  const voters = Object.entries(game.votes ?? {}).flatMap(([voter, target]) => (target === player ? [voter] : []))
  const role = game.dead[player] ?? (game.mafia?.includes(player) ? 'mafia' : null)
  const isMine = voters.includes(me)
  return (
    <div className="mafia-seat">
      {role !== null && (
        <span className="card-text mafia-mark" data-role={role}>
          {words.roleName[role]}
        </span>
      )}
      {isTarget && (
        <button
          type="button"
          className="vote"
          aria-pressed={isMine}
          aria-label={words.voteFor(nameOf(player))}
          onClick={vote}
        >
          {isMine ? words.votedFor : words.vote}
        </button>
      )}
      {voters.length > 0 && (
        <span className="mafia-votes">
          <b aria-hidden="true">{voters.length}</b>
          <span className="mafia-voters" aria-hidden="true">
            {voters.map((voter) => (
              <i key={voter}>
                <Face player={voter} />
              </i>
            ))}
          </span>
          <span className="heard-only">
            {words.votesAgainst(voters.length)}, {words.by(voters.map(nameOf).join(', '))}
          </span>
        </span>
      )}
    </div>
  )
}
