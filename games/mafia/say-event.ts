import type { GameEvent } from '../../client/client.ts'
import type { BoardWords } from './board-words.ts'

/** What an EMIT of the rules means, as a sentence; null where it is another's. Pure. */
export const sayEvent = (words: BoardWords, event: GameEvent, nameOf: (id: string) => string): string | null => {
  const { type, player, role, cause, winner } = event
  if (type === 'spared') return words.spared
  if (type === 'end' && (winner === 'mafia' || winner === 'citizen')) return words.won[winner]
  if (type !== 'death' || typeof player !== 'string' || (role !== 'mafia' && role !== 'citizen')) return null
  return (cause === 'left' ? words.left : words.died)[role](nameOf(player))
}
