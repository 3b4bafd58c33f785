import type { PlayerId } from '../../engine/rules/rules.ts'

export type Role = 'mafia' | 'citizen'

export interface Town {
  /** In the order in which they joined. */
  readonly players: readonly PlayerId[]
  readonly mafia: readonly PlayerId[]
  readonly alive: readonly PlayerId[]
  readonly dead: Readonly<Record<PlayerId, Role>>
  /** Voter → target, of this phase. */
  readonly votes: Readonly<Record<PlayerId, PlayerId>>
  readonly round: number
  readonly winner: Role | null
  /** How long a phase lasts at most. */
  readonly seconds: { readonly night: number; readonly day: number }
}

export const mafiaCount = (players: number): number => Math.max(1, Math.floor(players / 4))

export const roleOf = ({ mafia }: Pick<Town, 'mafia'>, player: PlayerId): Role =>
  mafia.includes(player) ? 'mafia' : 'citizen'

export const livingMafia = ({ mafia, alive }: Town): PlayerId[] => mafia.filter((player) => alive.includes(player))

/** Whether this member played and is out of the town. */
export const isDead = ({ players, alive }: Town, member: PlayerId | null): boolean =>
  member !== null && players.includes(member) && !alive.includes(member)

/** Whether all of them have voted. */
export const allVoted = ({ votes }: Town, voters: readonly PlayerId[]): boolean =>
  voters.every((voter) => Object.hasOwn(votes, voter))

/** Who has the most votes, or null: a tie spares everyone, and so does silence. */
export const condemned = ({ votes }: Town): PlayerId | null => {
  const counts = new Map<PlayerId, number>()
  for (const target of Object.values(votes)) counts.set(target, (counts.get(target) ?? 0) + 1)
  const most = Math.max(...counts.values())
  const [first, ...tied] = [...counts].filter(([, count]) => count === most)
  return first === undefined || tied.length > 0 ? null : first[0]
}

/** What changes when a player is out of the town, by death or by leaving: ballots from and for that player are void. */
export const without = (town: Town, player: PlayerId): Pick<Town, 'alive' | 'dead' | 'votes' | 'winner'> => {
  const alive = town.alive.filter((other) => other !== player)
  return {
    alive,
    dead: { ...town.dead, [player]: roleOf(town, player) },
    votes: Object.fromEntries(
      Object.entries(town.votes).filter(([voter, target]) => voter !== player && target !== player),
    ),
    winner: winnerOf(town, alive),
  }
}

/** The citizens win when no mafia lives, the mafia at parity. */
const winnerOf = ({ mafia }: Town, alive: readonly PlayerId[]): Role | null => {
  const bad = alive.filter((player) => mafia.includes(player)).length
  if (bad === 0) return 'citizen'
  return bad * 2 >= alive.length ? 'mafia' : null
}
