import type { GamePage, PageWords } from '../../client/board.ts'
import { type BoardWords, boardWords } from './board-words.ts'
import type rules from './rules.ts'

const wordsOf = (board: BoardWords, about: string): PageWords<typeof rules> => ({
  about,
  change: ({ room, game: before }, { game: now }, nameOf) => {
    if (now === null || before === null) return null
    if (now.winner === 'draw') return board.draw
    if (now.winner !== null) return board.wins(nameOf(now.winner))
    const owner = now.cells.find((owner, cell) => owner !== before.cells[cell]) ?? null
    return owner === null ? null : board.put(nameOf(owner), owner === room.players[0])
  },
})

const page: GamePage<typeof rules> = {
  standing: ({ game }) => {
    const turn = game?.turn ?? null
    return { active: turn === null ? [] : [turn], endsAt: null }
  },
  words: {
    en: wordsOf(boardWords.en, 'Three in a row wins. A minute, for two.'),
    ko: wordsOf(boardWords.ko, '셋을 한 줄로 이으면 이겨요. 둘이서 1분이면 돼요.'),
  },
}
export default page
