import { fileURLToPath } from 'node:url'
import type { LoadedGame } from '../../engine/rules/game.ts'
import { loadGames } from '../../engine/rules/load.ts'

const ROOT = new URL('../../', import.meta.url)

/** The games that bots can play. */
export const loadSimGames = (): Promise<LoadedGame[]> =>
  loadGames(['games/tictactoe', 'games/mafia', 'loadtest/games/bench'].map((dir) => fileURLToPath(new URL(dir, ROOT))))
