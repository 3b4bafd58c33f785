import { type KeyboardEvent, useRef, useState } from 'react'
import type { BoardProps } from '../../client/board.ts'
import { boardWords } from './board-words.ts'
import type rules from './rules.ts'
import './board.css'

type Props = BoardProps<typeof rules>

const SIZE = 3
const LINES = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 4, 8],
  [2, 4, 6],
]

/** Three by three cells. Arrows move between them, Enter marks one. */
export default function Board({ document, me, room, language, attempt, AtSeat }: Props) {
  const words = boardWords[language]
  const cells = useRef<(HTMLButtonElement | null)[]>([])
  const [focused, setFocused] = useState(4)
  const [sent, setSent] = useState<number | null>(null)
  const { game } = document
  if (game === null) return null
  const { players, members } = document.room
  const nameOf = (id: string): string => (id === me ? words.you : (members[id]?.name ?? words.somebody))
  const isMyTurn = game.turn === me
  const line = LINES.find(([a = 0, b = 0, c = 0]) => {
    const owner = game.cells[a] ?? null
    return owner !== null && owner === game.cells[b] && owner === game.cells[c]
  })

  const mark = async (cell: number): Promise<void> => {
    if (!isMyTurn || game.cells[cell] !== null || sent !== null) return
    setSent(cell)
    await attempt(room.move.mark({ cell }))
    setSent(null)
  }
  const move = (event: KeyboardEvent): void => {
    const to = target(event.key, focused)
    if (to === null) return
    event.preventDefault()
    setFocused(to)
    cells.current[to]?.focus()
  }

  return (
    <div
      className="ttt"
      data-turn={isMyTurn ? 'mine' : 'other'}
      data-decided={line !== undefined}
      data-won={game.winner === me}
    >
      <p className="ttt-status" role="status">
        {statusOf({ game, me, nameOf, words, hasLine: line !== undefined })}
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: no element means a group of keys that arrows move between. */}
      <div className="ttt-grid" role="group" aria-label={words.board} onKeyDown={move}>
        {game.cells.map((owner, cell) => {
          const by = owner ?? (sent === cell ? me : null)
          const isFree = isMyTurn && by === null && sent === null
          return (
            <button
              // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place.
              key={cell}
              ref={(element) => {
                cells.current[cell] = element
              }}
              type="button"
              className="ttt-cell"
              data-cell={cell}
              data-by={by === null ? undefined : by === me ? 'me' : 'other'}
              data-sent={owner === null && by !== null}
              data-line={line?.includes(cell) ?? false}
              tabIndex={cell === focused ? 0 : -1}
              aria-disabled={!isFree}
              aria-label={words.cell(Math.floor(cell / SIZE) + 1, (cell % SIZE) + 1, by === null ? null : nameOf(by))}
              onFocus={() => setFocused(cell)}
              onClick={() => void mark(cell)}
            >
              {by !== null && <Mark isFirst={by === players[0]} />}
            </button>
          )
        })}
        {line && <WinningLine line={line} isMine={game.winner === me} />}
      </div>
      {players.map((player) => (
        <AtSeat key={player} player={player}>
          <span className="ttt-sign">
            <Mark isFirst={player === players[0]} />
          </span>
        </AtSeat>
      ))}
    </div>
  )
}

/** The first to join draws rings, the other crosses. */
const Mark = ({ isFirst }: { isFirst: boolean }) => (
  <svg className="ttt-mark" viewBox="0 0 40 40" aria-hidden="true">
    {isFirst ? <circle cx="20" cy="20" r="12.5" /> : <path d="M9 9l22 22M31 9L9 31" />}
  </svg>
)

/** A stroke through the three that won. */
const WinningLine = ({ line, isMine }: { line: readonly number[]; isMine: boolean }) => {
  const [from = 0, , to = 0] = line
  const [x1, y1, x2, y2] = [from % SIZE, Math.floor(from / SIZE), to % SIZE, Math.floor(to / SIZE)].map(middleOf)
  return (
    <svg className="ttt-line" viewBox="0 0 100 100" data-by={isMine ? 'me' : 'other'} aria-hidden="true">
      <line x1={x1} y1={y1} x2={x2} y2={y2} />
    </svg>
  )
}

/** In the middle of the first, second or third cell, of 100. */
const middleOf = (index: number): number => 16 + index * 34

/** The cell that a key leads to, or null where it leads nowhere. Pure. */
const target = (key: string, from: number): number | null => {
  const [row, column] = [Math.floor(from / SIZE), from % SIZE]
  switch (key) {
    case 'ArrowUp':
      return row > 0 ? from - SIZE : from
    case 'ArrowDown':
      return row < SIZE - 1 ? from + SIZE : from
    case 'ArrowLeft':
      return column > 0 ? from - 1 : from
    case 'ArrowRight':
      return column < SIZE - 1 ? from + 1 : from
    default:
      return null
  }
}

interface Standing {
  readonly game: NonNullable<Props['document']['game']>
  readonly me: string
  readonly nameOf: (id: string) => string
  readonly words: (typeof boardWords)['en']
  readonly hasLine: boolean
}

const statusOf = ({ game: { turn, winner }, me, nameOf, words, hasLine }: Standing): string => {
  if (winner === 'draw') return words.draw
  if (winner !== null && !hasLine) return winner === me ? words.youWinByLeave : words.winsByLeave(nameOf(winner))
  if (winner !== null) return winner === me ? words.youWin : words.wins(nameOf(winner))
  if (turn === null) return ''
  return turn === me ? words.yourTurn : words.turn(nameOf(turn))
}
