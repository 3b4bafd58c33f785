import type { GameListing } from '../../bus/messages.ts'
import type { RulesArchive } from '../log/log.ts'
import type { LoadedGame } from '../rules/game.ts'
import { evaluateGame, GameFileError } from '../rules/load.ts'

/** Null where the kept source does not run. */
const evaluated = (source: string, game: string): LoadedGame | null => {
  try {
    return evaluateGame(source, game)
  } catch (error) {
    if (error instanceof GameFileError) return null
    throw error
  }
}

/** The games that new rooms are made of, and the kept rules of earlier ones by their hash. */
export class Library {
  readonly #current: ReadonlyMap<string, LoadedGame>
  readonly #byHash = new Map<string, LoadedGame>()
  readonly #archive: Pick<RulesArchive, 'rules'>

  /** Keeps the source of each game in the archive, so that its rooms can go on when the game's files have changed. */
  static async open(games: readonly LoadedGame[], archive: RulesArchive): Promise<Library> {
    for (const { runner, hash, source } of games) await archive.putRules(hash, runner.id, runner.version, source)
    return new Library(games, archive)
  }

  /** Over an archive that is only read. */
  constructor(games: readonly LoadedGame[], archive: Pick<RulesArchive, 'rules'>) {
    this.#current = new Map(games.map((game) => [game.runner.id, game]))
    this.#archive = archive
    for (const game of games) this.#byHash.set(game.hash, game)
  }

  current(game: string): LoadedGame | undefined {
    return this.#current.get(game)
  }

  ids(): string[] {
    return [...this.#current.keys()]
  }

  /** The rules with this hash, from memory or the archive, or null where neither has them. */
  async byHash(hash: string): Promise<LoadedGame | null> {
    const known = this.#byHash.get(hash)
    if (known !== undefined) return known
    const kept = await this.#archive.rules(hash)
    if (kept === null) return null
    const game = evaluated(kept.source, kept.game)
    if (game?.hash !== hash) return null
    this.#byHash.set(hash, game)
    return game
  }

  listings(): GameListing[] {
    return [...this.#current.values()].map(({ runner }) => ({
      id: runner.id,
      version: runner.version,
      title: runner.title,
      players: runner.players,
      autoStart: runner.autoStart || runner.dropIn,
      options: runner.optionsSchema,
      moves: runner.moveSchemas,
    }))
  }
}
