import { createHash } from 'node:crypto'
import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { cachedAs, makeWritable } from '../cache.mjs'
import { Problem } from '../problem.mjs'

/** @typedef {{ folder: string, worker: string, progress: string, lock: string, log: string, work: string }} Place Where a worker is kept, and what lies beside it while it is prepared */

/**
 * Where the worker of the installed mediasoup is kept in the user's cache: by its version, and by the recipe and the kind of machine
 * that it is made with, so that a change of either is a new place. Null where mediasoup is not installed.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {Place | null}
 */
export const placeOf = (root, env) => {
  const version = versionOf(join(root, 'node_modules', 'mediasoup', 'package.json'))
  if (version === null) return null
  const folder = cachedAs(`media-worker-${version}-${recipeHash(recipeOf(root))}`, env)
  return {
    folder,
    worker: join(folder, 'mediasoup-worker'),
    progress: join(folder, 'progress.json'),
    lock: join(folder, 'lock'),
    log: join(folder, 'build.log'),
    work: join(folder, 'work'),
  }
}

/** @param {string} root */
export const recipeOf = (root) => join(root, 'scripts', 'media-worker')

/** @param {string} file */
export const isProgram = (file) => {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/**
 * Makes the folder of a place. Throws Problem where that, or writing in it, is not allowed.
 * @param {Place} place
 */
export const makePlace = ({ folder }) => {
  if (!makeWritable(folder))
    throw new Problem(
      `The media worker cannot be kept in ${folder}: no permission to write. Set XDG_CACHE_HOME, or name a worker in MEDIASOUP_WORKER_BIN.`,
    )
}

/**
 * @param {string} manifest
 * @returns {string | null}
 */
const versionOf = (manifest) => {
  try {
    return JSON.parse(readFileSync(manifest, 'utf8')).version
  } catch {
    return null
  }
}

/** @param {string} folder */
const recipeHash = (folder) => {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\0`)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => !file.endsWith('.mjs'))
  for (const file of files.sort()) {
    if (statSync(join(folder, file)).isFile())
      hash
        .update(`${file}\0`)
        .update(readFileSync(join(folder, file)))
        .update('\0')
  }
  return hash.digest('hex').slice(0, 12)
}
