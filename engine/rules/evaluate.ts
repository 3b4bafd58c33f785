import { createHash } from 'node:crypto'
import { compileFunction } from 'node:vm'
import * as xstate from 'xstate'
import xstatePackage from 'xstate/package.json' with { type: 'json' }
import { messageOf } from '../../protocol/errors.ts'
import { isGame } from './define.ts'
import type { LoadedGame } from './game.ts'
import * as rules from './rules.ts'
import { createRunner } from './runner.ts'
import { shadows } from './shadows.ts'

/** A game's files cannot be loaded. The message is one line that names the game and says what to do. */
export class GameFileError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'GameFileError'
  }
}

/** The modules that a bundled game gets from us: the same ones as everything here. */
export const SHARED = { xstate: 'xstate', rules: 'madang/rules' } as const

/** Returns the game of a bundled source, ready to run; throws GameFileError naming `name`. */
export const evaluateGame = (source: string, name: string): LoadedGame => {
  const game = defaultExport(source, name)
  if (!isGame(game))
    throw new GameFileError(
      `${name}: rules.ts must \`export default defineGame(g, machine, { … })\`, with defineGame from madang/rules`,
    )
  return { runner: createRunner(game), hash: hashOf(source), source }
}

/** The version of XState is part of it: the same source under another one may run otherwise. */
const hashOf = (source: string): string =>
  createHash('sha256').update(`xstate@${xstatePackage.version}\n${source}`).digest('hex').slice(0, 32)

const defaultExport = (source: string, name: string): unknown => {
  const module: { exports: { default?: unknown } } = { exports: {} }
  const hidden = shadows()
  try {
    const names = ['module', 'exports', 'require', ...Object.keys(hidden)]
    const run = compileFunction(source, names, { filename: `${name}/rules.js` })
    run(module, module.exports, requireShared, ...Object.values(hidden))
  } catch (error) {
    const message = messageOf(error)
    throw new GameFileError(`${name}: ${message.replaceAll('\n', '; ')}`, { cause: error })
  }
  return module.exports.default
}

const requireShared = (wanted: string): unknown => {
  if (wanted === SHARED.xstate) return xstate
  if (wanted === SHARED.rules) return rules
  throw new GameFileError(`rules may not load "${wanted}": they import xstate, a schema library and madang/rules only`)
}
