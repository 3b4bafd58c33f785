import type { GamePage, PageWords } from '../../client/board.ts'
import { type BoardWords, boardWords } from './board-words.ts'
import type rules from './rules.ts'
import { sayEvent } from './say-event.ts'

const wordsOf = (board: BoardWords, own: Omit<PageWords<typeof rules>, 'event'>): PageWords<typeof rules> => ({
  ...own,
  event: (event, nameOf) => sayEvent(board, event, nameOf),
  change: ({ game: before }, { game: now }) =>
    now === null || now.phase === 'over' || now.phase === before?.phase ? null : board.falls[now.phase](now.round),
})

const page: GamePage<typeof rules> = {
  standing: ({ room, game }) => {
    if (game === null || game.phase === 'over') return { active: [], endsAt: null, out: Object.keys(game?.dead ?? {}) }
    const voters = game.phase === 'day' ? game.alive : (game.mafia?.filter((id) => game.alive.includes(id)) ?? [])
    return {
      active: voters.filter((id) => game.votes?.[id] === undefined),
      endsAt: game.endsAt,
      out: room.players.filter((id) => !game.alive.includes(id)),
      isNight: game.phase === 'night',
    }
  },
  words: {
    en: wordsOf(boardWords.en, {
      about: 'Some of you are not who they say. Talk, doubt, vote.',
      options: { night: 'A night lasts (seconds)', day: 'A day lasts (seconds)' },
      audiences: { mafia: 'the mafia', dead: 'those who are out' },
    }),
    ko: wordsOf(boardWords.ko, {
      about: '누군가는 정체를 숨기고 있어요. 이야기하고, 의심하고, 투표해요.',
      options: { night: '밤의 길이 (초)', day: '낮의 길이 (초)' },
      audiences: { mafia: '마피아', dead: '탈락한 사람' },
    }),
  },
}
export default page
