import { isProgram, placeOf } from './place.mjs'
import { isStale, readProgress } from './progress.mjs'

/** @typedef {{ is: 'ready', path: string } | { is: 'preparing', progress: number | null } | { is: 'failed', problem: string }} MediaWorker */

const HOW = '`npm start` prepares it, and so does `node scripts/media-worker.mjs`.'

/**
 * What there is of mediasoup's worker now, read anew at each call: the one that MEDIASOUP_WORKER_BIN names, or the one in the user's
 * cache, or how far its preparation is, or why there is none, with what to do. `failed` may become `preparing`: the next start tries again.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {MediaWorker}
 */
export const findMediaWorker = (root, env) => {
  const named = env.MEDIASOUP_WORKER_BIN
  if (named)
    return isProgram(named)
      ? { is: 'ready', path: named }
      : { is: 'failed', problem: `MEDIASOUP_WORKER_BIN names ${named}, which is no program that can be run.` }
  const place = placeOf(root, env)
  if (place === null) return { is: 'failed', problem: 'mediasoup is not installed: `npm start` installs it.' }
  if (isProgram(place.worker)) return { is: 'ready', path: place.worker }
  const said = readProgress(place.progress)
  if (said === null) return { is: 'failed', problem: `The media worker is not prepared. ${HOW}` }
  if (said.state === 'failed') return { is: 'failed', problem: said.problem ?? `The media worker failed. ${HOW}` }
  if (isStale(said)) return { is: 'failed', problem: `The media worker's preparation was cut short. ${HOW}` }
  return { is: 'preparing', progress: said.progress }
}
