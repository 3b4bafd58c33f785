import { accessSync, constants, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where a thing of this name is kept that is fetched or built once: in the user's cache folder. Pure.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
export const cachedAs = (name, env) => join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'madang', name)

/**
 * Makes the folder. False where that, or writing in it, is not allowed.
 * @param {string} folder
 */
export const makeWritable = (folder) => {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}
