import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Problem } from '../problem.mjs'
import { findMediaWorker } from './find.mjs'
import { makePlace, placeOf } from './place.mjs'
import { readProgress } from './progress.mjs'

const LOOK_EVERY_MS = 1_000

/**
 * Has mediasoup's worker prepared by a process of its own where there is none yet, and says so, and how it ended. That process goes on
 * when this one ends: the next start finds it at work, or done. Returns at once, and keeps nobody waiting.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} say
 */
export const prepareInBackground = (root, env, say) => {
  const found = findMediaWorker(root, env)
  const place = placeOf(root, env)
  if (found.is === 'ready') return
  if (place === null || env.MEDIASOUP_WORKER_BIN) return say(noVideo(found))
  try {
    makePlace(place)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return say(noVideo({ is: 'failed', problem: error.message }))
  }
  const child = found.is === 'preparing' ? null : startPreparing(root, env)
  let isTold = false
  const look = () => {
    const now = findMediaWorker(root, env)
    const building = readProgress(place.progress)?.state === 'building'
    if (now.is === 'preparing' && building && !isTold) {
      isTold = true
      say('Video is being prepared in the background (about 8 minutes); games run meanwhile.')
    }
    // What failed before stands in the file until the new process begins.
    const isOver = now.is === 'failed' && (child === null || hasEnded(child))
    if (now.is !== 'ready' && !isOver) return
    clearInterval(watch)
    say(now.is === 'ready' ? 'Video is ready.' : noVideo(now))
  }
  const watch = setInterval(look, LOOK_EVERY_MS).unref()
}

/** @param {import('./find.mjs').MediaWorker} found */
const noVideo = (found) => `There is no video for now. ${found.is === 'failed' ? found.problem : ''}`

/**
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
const startPreparing = (root, env) => {
  const script = join(root, 'scripts', 'media-worker.mjs')
  const child = spawn(process.execPath, [script], { cwd: root, env, detached: true, stdio: 'ignore' })
  // Where it cannot be started, it has no pid; games run all the same.
  child.once('error', () => {})
  child.unref()
  return child
}

/** @param {import('node:child_process').ChildProcess} child */
const hasEnded = ({ pid, exitCode, signalCode }) => pid === undefined || exitCode !== null || signalCode !== null
