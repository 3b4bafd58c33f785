import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './child.mjs'
import { Problem } from './problem.mjs'

/**
 * @typedef {object} Browser A browser that tests drive
 * @property {string} name for people, and of its package at Debian
 * @property {string} variable the environment variable that names another one
 * @property {readonly string[]} programs
 * @property {readonly string[]} folders where it may be beside PATH
 */

const FOLDERS = ['/usr/bin', '/usr/local/bin', '/snap/bin']

/** @type {Browser} */
export const CHROMIUM = {
  name: 'chromium',
  variable: 'MADANG_CHROMIUM',
  programs: [
    'chromium',
    'chromium-browser',
    'google-chrome-stable',
    'google-chrome',
    'chrome',
    'Google Chrome',
    'Chromium',
  ],
  folders: [...FOLDERS, '/Applications/Google Chrome.app/Contents/MacOS', '/Applications/Chromium.app/Contents/MacOS'],
}

/** @type {Browser} */
export const FIREFOX = {
  name: 'firefox-esr',
  variable: 'MADANG_FIREFOX',
  programs: ['firefox-esr', 'firefox'],
  folders: [...FOLDERS, '/Applications/Firefox.app/Contents/MacOS'],
}

/**
 * The program of a browser, installed with apt-get where there is none and this is root on Debian or Ubuntu. Its variable
 * names another one. Throws Problem where there is none.
 * @param {Browser} browser
 * @param {(line: string) => void} say
 * @returns {Promise<string>}
 */
export const findOrInstall = async (browser, say) => {
  const { name, variable } = browser
  const found = find(browser)
  if (found !== null) return found
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    throw new Problem(
      `Browser tests need ${name}: install it (Debian: sudo apt-get install ${name}), or name one in ${variable}.`,
    )
  say(`Installing ${name} for the browser tests (apt-get, once) …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await aptGet(['update', '-qq'], env, browser)
  await aptGet(['install', '-y', '-qq', '--no-install-recommends', name], env, browser)
  const installed = find(browser)
  if (installed === null) throw new Problem(`apt-get installed no ${name}: install one, or name it in ${variable}.`)
  return installed
}

/**
 * @param {Browser} browser
 * @returns {string | null}
 */
const find = ({ variable, programs, folders }) => {
  const named = process.env[variable]
  if (named) {
    if (isExecutable(named)) return named
    throw new Problem(`${variable} names ${named}, which is no program that can be run.`)
  }
  const places = [...(process.env.PATH ?? '').split(delimiter), ...folders].filter((folder) => folder !== '')
  return places.flatMap((folder) => programs.map((program) => join(folder, program))).find(isExecutable) ?? null
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
 * @param {Browser} browser
 */
const aptGet = async (args, env, { name, variable }) => {
  const { code, stderr } = await run('apt-get', args, { cwd: '/', env, stdout: 'ignore', stderr: 'pipe' })
  if (code !== 0)
    throw new Problem(
      `apt-get ${args[0]} failed (${stderr.trim().split('\n').at(-1)}). Install ${name}, or name one in ${variable}.`,
    )
}
