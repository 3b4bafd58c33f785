import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../problem.mjs'
import { recipeOf } from './place.mjs'
import { ninjaProgress } from './progress.mjs'

/** What one compiler may need, so that a small machine does not run out of it. */
const BYTES_A_JOB = 2 ** 30
/** The recipe's last line then says what to do. */
const USER_MUST_ACT = 3
const ELSE = 'Or name a mediasoup-worker in MEDIASOUP_WORKER_BIN (docs/decisions/media-worker.md).'

/**
 * Builds the worker as `mediasoup-worker` in the folder `work`. Throws Problem, with what to do, where it fails.
 * @param {string} root
 * @param {{ work: string, log: number, logFile: string, env: NodeJS.ProcessEnv }} options
 * @param {{ building: (progress: number | null) => void, working: (child: number | null) => void }} reporter
 */
export const buildWorker = async (root, { work, log, logFile, env }, { building, working }) => {
  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / BYTES_A_JOB)))
  building(null)
  const child = spawn(
    join(recipeOf(root), 'build-worker.sh'),
    [join(root, 'node_modules', 'mediasoup', 'worker'), work],
    { cwd: '/', env: { JOBS: String(jobs), ...env }, detached: true, stdio: ['ignore', 'pipe', log] },
  )
  // The group of processes that it leads: compilers may outlive it. Without us, its next line to this pipe ends it.
  if (child.pid !== undefined) working(-child.pid)
  child.stdout?.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    writeSync(log, text)
    const progress = ninjaProgress(text)
    if (progress !== null) building(progress)
  })
  const [code] = await once(child, 'close')
  working(null)
  if (code === 0) return
  const [last, ...before] = lastLines(logFile)
  if (code === USER_MUST_ACT) throw new Problem(`Video needs mediasoup's worker. ${last} ${ELSE}`)
  throw new Problem(
    `The media worker could not be built: ${[...before.reverse(), last].join(' · ')}. ${logFile} has it all; the next start tries again. ${ELSE}`,
  )
}

/**
 * Up to three, the last one first.
 * @param {string} file
 */
const lastLines = (file) => {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
  return lines.slice(-3).reverse()
}
