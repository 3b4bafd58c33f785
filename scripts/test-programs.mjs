import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './child.mjs'
import { Problem } from './problem.mjs'

/**
 * @typedef {object} TestProgram A program that tests run
 * @property {string} name for people, and of its package at Debian
 * @property {string} tests what it is for, for people
 * @property {string} variable the environment variable that names another one
 * @property {readonly string[]} programs
 * @property {readonly string[]} folders where it may be beside PATH
 * @property {string} [service] what its package would start at once, and at each boot
 */

const FOLDERS = ['/usr/bin', '/usr/local/bin', '/snap/bin']

/** @type {TestProgram} */
export const CHROMIUM = {
  name: 'chromium',
  tests: 'browser tests',
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

/** @type {TestProgram} */
export const FIREFOX = {
  name: 'firefox-esr',
  tests: 'tests in Firefox',
  variable: 'MADANG_FIREFOX',
  programs: ['firefox-esr', 'firefox'],
  folders: [...FOLDERS, '/Applications/Firefox.app/Contents/MacOS'],
}

/** @type {TestProgram} */
export const COTURN = {
  name: 'coturn',
  tests: 'tests of video through TURN',
  variable: 'MADANG_TURNSERVER',
  programs: ['turnserver'],
  folders: FOLDERS,
  service: 'coturn.service',
}

/** @type {TestProgram} Only its parser of units runs. */
export const SYSTEMD = {
  name: 'systemd',
  tests: 'tests of the units in deploy/',
  variable: 'MADANG_SYSTEMD_ANALYZE',
  programs: ['systemd-analyze'],
  folders: FOLDERS,
}

/** @type {TestProgram} */
export const HAPROXY = {
  name: 'haproxy',
  tests: 'tests behind a load balancer',
  variable: 'MADANG_HAPROXY',
  programs: ['haproxy'],
  folders: [...FOLDERS, '/usr/sbin', '/usr/local/sbin'],
  service: 'haproxy.service',
}

/**
 * Where a program is, installed with apt-get where it is not and this is root on Debian or Ubuntu. Its variable names
 * another one. Throws Problem where there is none.
 * @param {TestProgram} program
 * @param {(line: string) => void} say
 * @returns {Promise<string>}
 */
export const findOrInstall = async (program, say) => {
  const { name, tests, variable, service } = program
  const found = find(program)
  if (found !== null) return found
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    throw new Problem(
      `No ${name} for ${tests}: install it (Debian: sudo apt-get install ${name}), or name one in ${variable}.`,
    )
  say(`Installing ${name} for ${tests} (apt-get, once) …`)
  await runOrSayWhy('apt-get', ['update', '-qq'], program)
  // Tests start it themselves: nobody asked for a service. Without systemd, Debian's is off.
  if (service !== undefined && existsSync('/run/systemd/system'))
    await runOrSayWhy('systemctl', ['mask', service], program)
  await runOrSayWhy('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], program)
  const installed = find(program)
  if (installed === null) throw new Problem(`apt-get installed no ${name}: install one, or name it in ${variable}.`)
  return installed
}

/**
 * @param {TestProgram} program
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
 * @param {string} command
 * @param {string[]} args
 * @param {TestProgram} program
 */
const runOrSayWhy = async (command, args, { name, tests, variable }) => {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { code, stderr } = await run(command, args, { cwd: '/', env, stdout: 'ignore', stderr: 'pipe' })
  if (code !== 0)
    throw new Problem(
      `${command} ${args[0]} failed (${stderr.trim().split('\n').at(-1)}). Install ${name} for ${tests}, or name one in ${variable}.`,
    )
}
