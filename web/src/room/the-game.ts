import { usePolled } from '../polled.ts'
import { fetchGames, type Game } from '../server.ts'

/** What the server says of a game; null until it is known, and for games that it has no longer. */
export const useGame = (id: string): Game | null =>
  usePolled(fetchGames, null).value?.find((game) => game.id === id) ?? null
