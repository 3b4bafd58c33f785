import type { PlayerId } from '../../engine/rules/rules.ts'
import type { Word, WordName } from './word.ts'

export type TeamName = 'sun' | 'moon'
export const TEAMS: readonly [TeamName, TeamName] = ['sun', 'moon']
/** With one player fewer nobody is left to guess. */
const TEAM_LEAST = 2

export interface Stage {
  /** In the order in which they perform: the first of a team is next, or performs now. */
  readonly teams: Readonly<Record<TeamName, readonly PlayerId[]>>
  /** From 1; `turns` in all. The teams take turns, the sun begins. */
  readonly turn: number
  readonly turns: number
  /** What is acted now, or next. */
  readonly word: Word
  /** The words to come. */
  readonly deck: readonly Word[]
  readonly scores: Readonly<Record<TeamName, number>>
  /** Of this turn, oldest first, the last dozen. */
  readonly guesses: readonly Guess[]
  /** What became of the words of this turn, or of the last one until the next begins; likewise. */
  readonly words: readonly Settled[]
  readonly winner: TeamName | 'draw' | null
  readonly seconds: { readonly ready: number; readonly turn: number }
}

export interface Guess {
  readonly by: PlayerId
  readonly text: string
  readonly right: boolean
}

export interface Settled {
  readonly word: WordName
  readonly outcome: 'guessed' | 'skipped' | 'missed'
  /** Who guessed it. */
  readonly by: PlayerId | null
}

/** The two teams, as even as can be: one of those who were drawn to each by turns. Pure. */
export const teamsOf = (drawn: readonly PlayerId[]): Stage['teams'] => ({
  sun: drawn.filter((_, i) => i % 2 === 0),
  moon: drawn.filter((_, i) => i % 2 === 1),
})

export const teamOn = ({ turn }: Pick<Stage, 'turn'>): TeamName => (turn % 2 === 1 ? 'sun' : 'moon')
export const otherThan = (team: TeamName): TeamName => (team === 'sun' ? 'moon' : 'sun')

export const performerOf = (stage: Stage): PlayerId | null => stage.teams[teamOn(stage)][0] ?? null
export const guessersOf = (stage: Stage): readonly PlayerId[] => stage.teams[teamOn(stage)].slice(1)
/** The team that watches and knows the word. */
export const rivalsOf = (stage: Stage): readonly PlayerId[] => stage.teams[otherThan(teamOn(stage))]

/** The next turn: who performed goes to the end of the team. Pure. */
export const passed = (stage: Stage): Pick<Stage, 'teams' | 'turn'> => {
  const team = teamOn(stage)
  const [performer, ...others] = stage.teams[team]
  return {
    turn: stage.turn + 1,
    teams: performer === undefined ? stage.teams : { ...stage.teams, [team]: [...others, performer] },
  }
}

/** The teams without a player who left: nobody else loses the place in the order. Pure. */
export const without = ({ teams }: Stage, player: PlayerId): Pick<Stage, 'teams'> => ({
  teams: {
    sun: teams.sun.filter((other) => other !== player),
    moon: teams.moon.filter((other) => other !== player),
  },
})

export const tooFew = ({ teams }: Pick<Stage, 'teams'>): TeamName | null =>
  TEAMS.find((team) => teams[team].length < TEAM_LEAST) ?? null

/** The team with more points; one that is too few to go on has given up. Pure. */
export const winnerOf = (stage: Stage): TeamName | 'draw' => {
  const gone = tooFew(stage)
  if (gone !== null) return otherThan(gone)
  const { sun, moon } = stage.scores
  if (sun === moon) return 'draw'
  return sun > moon ? 'sun' : 'moon'
}
