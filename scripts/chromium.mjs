import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './child.mjs'
import { Problem } from './problem.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']
const FOLDERS = [
  '/usr/bin',
  '/usr/local/bin',
  '/snap/bin',
  '/Applications/Google Chrome.app/Contents/MacOS',
  '/Applications/Chromium.app/Contents/MacOS',
]
const MAC_NAMES = ['Google Chrome', 'Chromium']

/**
 * The Chromium that browser tests use, installed with apt-get where there is none and this is root on Debian or Ubuntu.
 * MADANG_CHROMIUM names another one. Throws Problem where there is none.
 * @param {(line: string) => void} say
 * @returns {Promise<string>}
 */
export const findOrInstallChromium = async (say) => {
  const found = findChromium()
  if (found !== null) return found
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    throw new Problem(
      'Browser tests need Chromium: install it (Debian: sudo apt-get install chromium), or name one in MADANG_CHROMIUM.',
    )
  say('Installing Chromium for the browser tests (apt-get, once) …')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await aptGet(['update', '-qq'], env)
  await aptGet(['install', '-y', '-qq', '--no-install-recommends', 'chromium'], env)
  const installed = findChromium()
  if (installed === null)
    throw new Problem('apt-get installed no Chromium: install one, or name it in MADANG_CHROMIUM.')
  return installed
}

/** @returns {string | null} */
const findChromium = () => {
  const named = process.env.MADANG_CHROMIUM
  if (named) {
    if (isExecutable(named)) return named
    throw new Problem(`MADANG_CHROMIUM names ${named}, which is no program that can be run.`)
  }
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...FOLDERS].filter((folder) => folder !== '')
  const candidates = folders.flatMap((folder) => [...NAMES, ...MAC_NAMES].map((name) => join(folder, name)))
  return candidates.find(isExecutable) ?? null
}

/** @param {string} path */
const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
const aptGet = async (args, env) => {
  const { code, stderr } = await run('apt-get', args, { cwd: '/', env, stdout: 'ignore', stderr: 'pipe' })
  if (code !== 0)
    throw new Problem(
      `apt-get ${args[0]} failed (${stderr.trim().split('\n').at(-1)}). Install Chromium or Chrome, or name one in MADANG_CHROMIUM.`,
    )
}
