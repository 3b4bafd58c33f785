import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedAs, makeWritable } from './cache.mjs'
import { outputOf, run } from './child.mjs'
import { withLock } from './lock.mjs'
import { Problem } from './problem.mjs'

/** The one that is built where there is none. */
const VERSION = '2.2.0'
/** Scenarios need what came with this. */
const OLDEST_MAJOR = 2
const GET_K6 = fileURLToPath(new URL('get-k6.sh', import.meta.url))
const NO_GO = 3
const PROGRESS_EVERY_MS = 15_000

/**
 * The k6 that load tests use: the one that K6 names, the one on PATH, or else one in the user's cache folder, which is built there
 * with Go where it is not yet. Several at once wait for one another. Throws Problem where it cannot be had.
 * @param {(line: string) => void} say
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>}
 */
export const findOrBuildK6 = async (say, env = process.env) => {
  if (env.K6) {
    if (isUsable(env.K6, env)) return env.K6
    throw new Problem(`K6 names ${env.K6}, which is no k6 ${OLDEST_MAJOR} or later that can be run.`)
  }
  if (isUsable('k6', env)) return 'k6'
  const folder = cachedAs(`k6-${VERSION}`, env)
  const built = join(folder, 'k6')
  if (isUsable(built, env)) return built
  if (!makeWritable(folder))
    throw new Problem(
      `k6 cannot be built into ${folder}: no permission to write. Set XDG_CACHE_HOME, or name a k6 in K6.`,
    )
  return await withLock(
    join(folder, 'lock'),
    () => say('Another process builds k6: waiting for it …'),
    async (working) => {
      if (!isUsable(built, env)) await build(built, env, { say, working })
      return built
    },
  )
}

/**
 * @param {string} k6
 * @param {NodeJS.ProcessEnv} env
 */
const isUsable = (k6, env) => Number(/^\S*k6\S* v(\d+)\./.exec(outputOf(k6, ['version'], env))?.[1]) >= OLDEST_MAJOR

/**
 * @param {string} file
 * @param {NodeJS.ProcessEnv} env
 * @param {{ say: (line: string) => void, working: (child: number | null) => void }} reporter
 */
const build = async (file, env, { say, working }) => {
  say(`Building k6 ${VERSION} with Go (about 3 minutes, once) …`)
  const started = Date.now()
  const progress = setInterval(() => say(`  … ${Math.round((Date.now() - started) / 1000)} s`), PROGRESS_EVERY_MS)
  try {
    // Behind whatever else runs: `npm test` builds it while it checks other things.
    const { code, stderr } = await run('nice', ['-n', '10', GET_K6, VERSION, file], {
      cwd: '/',
      env,
      stdout: 'ignore',
      stderr: 'pipe',
      started: working,
    })
    if (code !== 0) throw new Problem(code === NO_GO ? stderr.trim() : `k6 could not be built: ${lastWords(stderr)}`)
  } finally {
    clearInterval(progress)
    working(null)
  }
}

/** @param {string} stderr */
const lastWords = (stderr) =>
  stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('go: downloading'))
    .slice(-3)
    .join(' · ') || 'Go gave no reason'
