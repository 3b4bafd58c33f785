import type { GamePage, PageWords } from '../../client/board.ts'
import { boardWords } from './board-words.ts'
import type rules from './rules.ts'
import { sayEvent } from './say-event.ts'
import { otherThan } from './stage.ts'

const wordsOf = (
  language: 'en' | 'ko',
  own: Pick<PageWords<typeof rules>, 'about' | 'options'>,
): PageWords<typeof rules> => {
  const board = boardWords[language]
  return {
    ...own,
    audiences: board.teamInSentence,
    // While somebody acts, all are seen; who knows the word is heard by the own team, the performer by nobody.
    reach: ({ game }, me) => {
      if (game?.phase !== 'acting' || game.team === null) return null
      if (game.performer === me) return { voice: null }
      const rivals = otherThan(game.team)
      return game.teams[rivals].includes(me) ? { voice: board.teamInSentence[rivals] } : null
    },
    event: (event, nameOf) => sayEvent(board, language, event, nameOf),
    change: ({ game: before }, { game: now }, nameOf) =>
      before?.phase === 'ready' && now?.phase === 'acting' && now.performer !== null
        ? board.begins(nameOf(now.performer))
        : null,
  }
}

const page: GamePage<typeof rules> = {
  standing: ({ room, game }) => {
    if (game === null) return { active: [], endsAt: null }
    const { phase, next, teams, team, endsAt } = game
    return {
      active: phase === 'acting' && team !== null ? teams[team] : next === null ? [] : [next],
      endsAt,
      out: room.players.filter((id) => !teams.sun.includes(id) && !teams.moon.includes(id)),
    }
  },
  words: {
    en: wordsOf('en', {
      about: 'Two teams. One of you shows a word without a sound, the others guess it.',
      options: {
        turn: 'A turn lasts (seconds)',
        ready: 'Time to get ready (seconds)',
        rounds: 'Turns for each team',
      },
    }),
    ko: wordsOf('ko', {
      about: '두 팀으로 나누어, 한 사람이 소리 없이 보여 주는 낱말을 같은 팀이 맞혀요.',
      options: {
        turn: '한 차례의 길이 (초)',
        ready: '준비 시간 (초)',
        rounds: '팀마다 차례 수',
      },
    }),
  },
}
export default page
