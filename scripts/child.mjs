import { execFileSync, spawn } from 'node:child_process'

/**
 * Resolves with the exit code and what the command wrote to stderr; rejects where it cannot be started.
 * SIGINT and SIGTERM end the command and then this process, so that no half-done work goes on unseen.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, stdout?: 'inherit' | 'ignore', stderr?: 'inherit' | 'pipe', started?: (pid: number) => void }} options
 * @returns {Promise<{ code: number, stderr: string }>}
 */
export const run = (command, args, { cwd, env = process.env, stdout = 'inherit', stderr = 'inherit', started }) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', stdout, stderr] })
    let written = ''
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      written += text
    })
    /** @type {NodeJS.Signals | null} */
    let asked = null
    /** @param {NodeJS.Signals} signal */
    const end = (signal) => {
      asked = signal
      child.kill(signal)
    }
    process.on('SIGINT', end).on('SIGTERM', end)
    if (child.pid !== undefined) started?.(child.pid)
    child.once('error', reject)
    child.once('close', (code) => {
      process.off('SIGINT', end).off('SIGTERM', end)
      if (asked !== null) process.exit(asked === 'SIGINT' ? 130 : 143)
      resolve({ code: code ?? 1, stderr: written })
    })
  })

/**
 * What the command writes to stdout; empty where it cannot be started or fails.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export const outputOf = (command, args, env) => {
  try {
    return execFileSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}
