import { existsSync, readdirSync, statSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { type BuildFailure, build, type Plugin } from 'esbuild'
import { evaluateGame, GameFileError, SHARED } from './evaluate.ts'
import type { LoadedGame } from './game.ts'

export { evaluateGame, GameFileError } from './evaluate.ts'

const ENGINE = resolve(import.meta.dirname, '..')
const RULES = join(import.meta.dirname, 'rules.ts')
const OUR_PACKAGES = join(dirname(ENGINE), 'node_modules')

/** Returns the game whose `rules.ts` lies in the folder; reads files, and throws GameFileError with one line that says what to do. */
export const loadGame = async (dir: string): Promise<LoadedGame> => {
  if (!existsSync(join(dir, 'rules.ts'))) throw new GameFileError(`${dir}: there is no rules.ts in this folder`)
  return evaluateGame(await bundle(resolve(dir), dir), dir)
}

/** Returns the games of these folders, each a game or a folder of games, in the order of the folders and names; throws GameFileError. */
export const loadGames = async (dirs: readonly string[]): Promise<LoadedGame[]> => {
  const folders = [...new Map(dirs.flatMap(gameFolders).map((dir) => [resolve(dir), dir])).values()]
  const games = await Promise.all(folders.map(loadGame))
  const homes = new Map<string, string>()
  for (const [place, { runner }] of games.entries()) {
    const [home = '', before] = [folders[place], homes.get(runner.id)]
    if (before !== undefined)
      throw new GameFileError(`two games have the id "${runner.id}": ${before} and ${home}; give one another id`)
    homes.set(runner.id, home)
  }
  return games
}

const gameFolders = (dir: string): string[] => {
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory())
    throw new GameFileError(`${dir}: there is no such folder of games`)
  if (existsSync(join(dir, 'rules.ts'))) return [dir]
  const games = readdirSync(dir)
    .toSorted()
    .map((name) => join(dir, name))
    .filter((folder) => existsSync(join(folder, 'rules.ts')))
  if (games.length > 0) return games
  throw new GameFileError(`${dir}: there is no game in this folder; a game is a folder with a rules.ts`)
}

/** The game's files and its schema library as one CommonJS text, the same wherever the folder lies. */
const bundle = async (folder: string, name: string): Promise<string> => {
  try {
    const { outputFiles } = await build({
      absWorkingDir: folder,
      entryPoints: ['rules.ts'],
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'neutral',
      target: 'es2024',
      mainFields: ['module', 'main'],
      charset: 'utf8',
      legalComments: 'none',
      logLevel: 'silent',
      tsconfigRaw: {},
      nodePaths: [OUR_PACKAGES],
      plugins: [imports],
    })
    return withoutPaths(outputFiles[0]?.text ?? '')
  } catch (error) {
    if (isBuildFailure(error)) throw new GameFileError(`${name}: ${failure(error)}`, { cause: error })
    throw error
  }
}

/** What a game may import besides its own files and packages: XState and the rules API, which it shares with the engine. */
const imports: Plugin = {
  name: 'imports of rules',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^xstate$/ }, () => ({ path: SHARED.xstate, external: true }))
    onResolve({ filter: /^madang(\/|$)|(^|\/)engine\// }, ({ path, resolveDir }) => {
      const file = path.startsWith('.') ? resolve(resolveDir, path) : path
      if (file === RULES || path === SHARED.rules) return { path: SHARED.rules, external: true }
      if (!path.startsWith('madang') && !file.startsWith(ENGINE + sep)) return null
      return { errors: [{ text: `rules may not import "${path}": all that they need is in madang/rules` }] }
    })
    onResolve({ filter: /^[^./]/ }, ({ path }) =>
      isBuiltin(path)
        ? {
            errors: [
              {
                text: `rules may not import "${path}": they know only their events and options, so that a replay gives the same`,
              },
            ],
          }
        : null,
    )
  },
}

/** The text without the ways to packages in the bundler's comments and in its names of CommonJS modules. */
const withoutPaths = (text: string): string =>
  text
    .replace(/^(\s*\/\/ ).*node_modules\//gm, '$1')
    .replace(/^(\s*")[^"\n]*node_modules\/(?=[^"\n]*"\([a-z0-9, ]*\) \{$)/gm, '$1')

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors)

const failure = ({ errors, message }: BuildFailure): string => {
  const [first] = errors
  if (first === undefined) return message.replaceAll('\n', '; ')
  const { location, text } = first
  return location === null ? text : `${basename(location.file)}:${location.line}:${location.column + 1}: ${text}`
}
