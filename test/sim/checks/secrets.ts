import type { PlayerId, Seq } from '../../../protocol/frames.ts'
import { fieldsOf, strings } from '../fields.ts'
import type { RoomPast } from './past.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * What this document tells this player that operating.md says is secret, or null. Pure. It asks the machine who is what, not
 * the game's views: so a view that leaks is found.
 */
export const secretTold = (past: RoomPast, seq: Seq, player: PlayerId, document: unknown): string | null => {
  const state = past.at(seq)?.state
  const shown = fieldsOf(fieldsOf(document).game)
  if (state?.rules == null) return null
  const { context } = fieldsOf(past.runner.toPlain(state.rules).snapshot)
  if (state.game === 'mafia') return mafiaSecret(shown, fieldsOf(context), player)
  if (state.game === 'bench') return benchSecret(shown, fieldsOf(context), player)
  return null
}

const MAFIA_FIELDS = ['alive', 'dead', 'endsAt', 'mafia', 'phase', 'role', 'round', 'votes', 'winner']

const mafiaSecret = (shown: Fields, context: Fields, player: PlayerId): string | null => {
  const mafia = strings(context.mafia)
  const players = strings(context.players)
  const role = (of: PlayerId): string => (mafia.includes(of) ? 'mafia' : 'citizen')
  const unknown = Object.keys(shown).find((field) => !MAFIA_FIELDS.includes(field))
  if (unknown !== undefined) return `a field that nobody may have: ${unknown}`
  if (shown.phase === 'over') return null
  const own = players.includes(player) ? role(player) : null
  if (shown.role !== own) return `the role ${shown.role}, its own being ${own}`
  if (shown.mafia !== null && own !== 'mafia') return `who the mafia are: ${strings(shown.mafia).join(', ')}`
  if (shown.votes !== null && shown.phase === 'night' && own !== 'mafia') return 'the votes of the night'
  const alive = strings(context.alive)
  const living = Object.keys(fieldsOf(shown.dead)).find((of) => alive.includes(of))
  return living === undefined ? null : `the role of ${living}, who lives`
}

const benchSecret = (shown: Fields, context: Fields, player: PlayerId): string | null => {
  const own = fieldsOf(context.secrets)[player] ?? null
  return shown.secret === own ? null : `the secret ${shown.secret}, its own being ${own}`
}
