import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const ANSWER_WITHIN_MS = 15_000
const ALL_WITHIN_MS = 180_000

/**
 * True where mediasoup's own install step downloaded its prebuilt worker as `file`, and it runs here. It is given up after 15 s
 * without an answer, and after 3 minutes.
 * @param {string} root
 * @param {{ file: string, work: string, log: number, env: NodeJS.ProcessEnv, answerWithinMs?: number }} options
 * @returns {Promise<boolean>}
 */
export const fetchPrebuilt = async (root, { file, work, log, env, answerWithinMs = ANSWER_WITHIN_MS }) => {
  const folder = join(work, 'prebuilt')
  mkdirSync(folder, { recursive: true })
  const step = join(root, 'node_modules', 'mediasoup', 'npm-scripts.mjs')
  // It writes below the folder that it runs in. After a failed download it would build, with what it downloads for that: without a
  // Python it ends at once.
  const child = spawn(process.execPath, [step, 'postinstall'], {
    cwd: folder,
    env: { ...env, PYTHON: 'false' },
    stdio: ['ignore', log, log],
  })
  const released = join(folder, 'worker', 'out', 'Release')
  const giveUp = () => child.kill('SIGKILL')
  // The folder is made once the server has answered.
  const answer = setTimeout(() => existsSync(released) || giveUp(), answerWithinMs)
  const all = setTimeout(giveUp, ALL_WITHIN_MS)
  try {
    const [code] = await once(child, 'exit')
    if (code !== 0) return false
    renameSync(join(released, 'mediasoup-worker'), file)
    return true
  } finally {
    clearTimeout(answer)
    clearTimeout(all)
  }
}
