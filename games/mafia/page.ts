import type { GamePage, OwnReach, PageWords } from '../../client/board.ts'
import { type BoardWords, boardWords } from './board-words.ts'
import type rules from './rules.ts'
import { sayEvent } from './say-event.ts'

const wordsOf = (
  board: BoardWords,
  own: Pick<PageWords<typeof rules>, 'about' | 'options'>,
): PageWords<typeof rules> => ({
  ...own,
  audiences: { mafia: board.audience.mafia, dead: board.audience.out },
  reach: ({ game, room }, me) => game && reachOf(board, game, room.players, me),
  event: (event, nameOf) => sayEvent(board, event, nameOf),
  change: ({ game: before }, { game: now }) =>
    now === null || now.phase === 'over' || now.phase === before?.phase ? null : board.falls[now.phase](now.round),
})

type Game = NonNullable<Parameters<GamePage<typeof rules>['standing']>[0]['game']>

/** Whom `media` of the rules lets this player not see: by night the town sees nobody, the mafia its own, and who is out sees all. Pure. */
const hiddenFrom = ({ phase, role, alive, mafia }: Game, players: readonly string[], me: string): readonly string[] => {
  if (phase !== 'night' || (role !== null && !alive.includes(me))) return []
  return players.filter((id) => id !== me && !(role === 'mafia' && mafia?.includes(id) && alive.includes(id)))
}

/** Who alone sees and hears this player: by night the mafia its own, and those who are out see all and hear who lives. Pure. */
const reachOf = (
  { audience: words }: BoardWords,
  { phase, role, alive, dead, mafia }: Game,
  players: readonly string[],
  me: string,
): OwnReach | null => {
  if (phase !== 'night' || role === null) return null
  const hasOut = players.some((id) => id !== me && dead[id] !== undefined)
  const hasMafia = alive.includes(me) && (mafia?.some((id) => id !== me && alive.includes(id)) ?? false)
  const audience = hasMafia ? (hasOut ? words.mafiaAndOut : words.mafia) : hasOut ? words.out : null
  return { sight: audience, voice: alive.includes(me) ? audience : null }
}

const page: GamePage<typeof rules> = {
  standing: ({ room, game }, me) => {
    if (game === null || game.phase === 'over') return { active: [], endsAt: null, out: Object.keys(game?.dead ?? {}) }
    const voters = game.phase === 'day' ? game.alive : (game.mafia?.filter((id) => game.alive.includes(id)) ?? [])
    return {
      active: voters.filter((id) => game.votes?.[id] === undefined),
      endsAt: game.endsAt,
      out: room.players.filter((id) => !game.alive.includes(id)),
      isNight: game.phase === 'night',
      hidden: hiddenFrom(game, room.players, me),
    }
  },
  words: {
    en: wordsOf(boardWords.en, {
      about: 'Some of you are not who they say. Talk, doubt, vote.',
      options: { night: 'A night lasts (seconds)', day: 'A day lasts (seconds)' },
    }),
    ko: wordsOf(boardWords.ko, {
      about: '누군가는 정체를 숨기고 있어요. 이야기하고, 의심하고, 투표해요.',
      options: { night: '밤의 길이 (초)', day: '낮의 길이 (초)' },
    }),
  },
}
export default page
