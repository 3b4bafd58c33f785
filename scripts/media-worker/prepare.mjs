import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from '../lock.mjs'
import { Problem } from '../problem.mjs'
import { buildWorker } from './build.mjs'
import { findMediaWorker } from './find.mjs'
import { isProgram, makePlace, placeOf } from './place.mjs'
import { fetchPrebuilt } from './prebuilt.mjs'
import { createProgress, isStale, readProgress } from './progress.mjs'

const SAY_EVERY_MS = 15_000
/** How a worker ends that is not told which mediasoup it belongs to: it runs here. */
const RUNS_HERE = 41

/** @typedef {import('./place.mjs').Place} Place */

/**
 * The path of mediasoup's worker, which is downloaded, or else built (about 8 minutes on 2 cores), where there is none yet.
 * Several at once wait for one another. Throws Problem, with what to do, where it cannot be had; the next call tries again.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} say
 * @returns {Promise<string>}
 */
export const prepareMediaWorker = async (root, env, say) => {
  const found = findMediaWorker(root, env)
  if (found.is === 'ready') return found.path
  const place = placeOf(root, env)
  if (place === null || env.MEDIASOUP_WORKER_BIN)
    throw new Problem(found.is === 'failed' ? found.problem : 'There is no media worker.')
  makePlace(place)
  say("Preparing mediasoup's worker for video (downloaded in a moment, or built in about 8 minutes, once) …")
  const saying = setInterval(() => say(`  … ${percentOf(place)}`), SAY_EVERY_MS)
  try {
    return await withLock(
      place.lock,
      () => say('Another process prepares it: waiting for it …'),
      async (working) => {
        if (!isProgram(place.worker)) await fetchOrBuild(root, place, env, working)
        return place.worker
      },
    )
  } finally {
    clearInterval(saying)
  }
}

/** @param {Place} place */
const percentOf = (place) => {
  const said = readProgress(place.progress)
  if (said === null || said.progress === null || isStale(said)) return 'begins'
  return `${Math.floor(said.progress * 100)} %`
}

/**
 * @param {string} root
 * @param {Place} place
 * @param {NodeJS.ProcessEnv} env
 * @param {(child: number | null) => void} working
 */
const fetchOrBuild = async (root, { worker, progress: file, log: logFile, work }, env, working) => {
  const log = openSync(logFile, 'w')
  const progress = createProgress(file)
  const made = join(work, 'mediasoup-worker')
  try {
    mkdirSync(work, { recursive: true })
    const isFetched = await fetchPrebuilt(root, { file: made, work, log, env })
    if (!isFetched) await buildWorker(root, { work, log, logFile, env }, { building: progress.building, working })
    checkThatItRuns(made, logFile)
    renameSync(made, worker)
    rmSync(work, { recursive: true, force: true })
    progress.end()
  } catch (error) {
    rmSync(work, { recursive: true, force: true })
    progress.fail(error instanceof Error ? error.message : String(error))
    throw error
  } finally {
    closeSync(log)
  }
}

/**
 * @param {string} file
 * @param {string} log
 */
const checkThatItRuns = (file, log) => {
  const { status, error } = spawnSync(file, { env: {}, stdio: 'ignore', timeout: 10_000 })
  if (status !== RUNS_HERE)
    throw new Problem(`The media worker was built and does not run here (${error?.message ?? status}). See ${log}.`)
}
