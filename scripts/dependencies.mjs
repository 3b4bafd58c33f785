import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run } from './child.mjs'
import { Problem } from './problem.mjs'

const PROGRESS_EVERY_MS = 5_000

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string | string[], cpu?: string | string[], libc?: string | string[] }} Package */
/** @typedef {{ os: string, cpu: string, libc: string }} Target */

/** What npm must have chosen packages for, to run here. */
const thisTarget = () => ({ os: process.platform, cpu: process.arch, libc: 'glibc' })

/**
 * Which packages of the lockfile are not installed as it says, by comparing it with the list that npm writes into
 * node_modules as its last act: an install that was cut short has none. Pure.
 * @param {Record<string, Package>} locked
 * @param {Record<string, Package>} installed
 * @param {Target} target
 * @returns {string[]}
 */
export const notInstalled = (locked, installed, target) =>
  Object.entries(locked)
    .filter(([path, entry]) => path !== '' && isWanted(entry, target) && !isSame(entry, installed[path]))
    .map(([path]) => path)

/**
 * npm leaves out optional packages that only another platform's ones ask for: of the optional ones, those that name
 * this platform must be there.
 * @param {Package} entry
 * @param {Target} target
 */
const isWanted = (entry, target) => {
  if (!entry.optional) return true
  const named = entry.os ?? entry.cpu ?? entry.libc
  return (
    named !== undefined && fits(entry.os, target.os) && fits(entry.cpu, target.cpu) && fits(entry.libc, target.libc)
  )
}

/**
 * @param {string | string[] | undefined} names
 * @param {string} name
 */
const fits = (names, name) => {
  const list = [names ?? []].flat()
  if (list.includes(`!${name}`)) return false
  return list.every((each) => each.startsWith('!')) || list.includes(name)
}

/**
 * @param {Package} locked
 * @param {Package | undefined} installed
 */
const isSame = (locked, installed) =>
  installed !== undefined && installed.version === locked.version && installed.integrity === locked.integrity

/**
 * True where node_modules holds what package-lock.json says, each package's folder included.
 * @param {string} root
 */
export const dependenciesReady = (root) => {
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'))
  const locked = readPackages(join(root, 'package-lock.json'))
  if (installed === null || locked === null) return false
  if (notInstalled(locked, installed, thisTarget()).length > 0) return false
  return Object.keys(installed).every((path) => existsSync(join(root, path, 'package.json')))
}

/**
 * @param {string} file
 * @returns {Record<string, Package> | null}
 */
const readPackages = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return null
  }
}

/**
 * Installs what the lockfile says, anew. Throws Problem where npm is missing, the network is, or the disk is full.
 * @param {string} root
 * @param {{ say: (line: string) => void, working: (child: number | null) => void }} reporter
 */
export const installDependencies = async (root, { say, working }) => {
  const total = Object.values(readPackages(join(root, 'package-lock.json')) ?? {}).filter((entry) =>
    isWanted(entry, thisTarget()),
  ).length
  say(`Installing ${total} packages from package-lock.json (about 700 MB on disk, once) …`)
  const started = Date.now()
  const progress = setInterval(() => say(`  … ${Math.round((Date.now() - started) / 1000)} s`), PROGRESS_EVERY_MS)
  const npm = npmCommand()
  try {
    const { code, stderr } = await run(npm.command, [...npm.args, ...INSTALL], {
      cwd: root,
      stdout: 'ignore',
      stderr: 'pipe',
      started: working,
    })
    if (code !== 0) throw new Problem(npmProblem(stderr))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new Problem('npm was not found: install Node with npm from https://nodejs.org, then run this again.')
    throw error
  } finally {
    clearInterval(progress)
    working(null)
  }
}

// No install scripts: mediasoup's downloads a binary, and where it cannot, fails after 80 s. What ours need, set-up does.
// No long retries: who has no network should hear so in seconds.
const INSTALL = [
  'ci',
  '--ignore-scripts',
  '--include=dev',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
  '--prefer-offline',
  '--fetch-retries=2',
  '--fetch-retry-factor=2',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=5000',
]

/** The npm that started this, run by the Node it runs on; without one, the npm on PATH. */
const npmCommand = () => {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env
  if (cli && basename(cli) === 'npm-cli.js') return { command: node ?? process.execPath, args: [cli] }
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] }
}

/**
 * What npm's complaint means and what to do, in one line. Pure.
 * @param {string} stderr
 */
export const npmProblem = (stderr) => {
  const code = /npm (?:error|ERR!) code (\S+)/.exec(stderr)?.[1] ?? ''
  if (
    /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR)$/.test(
      code,
    )
  )
    return `npm cannot reach its registry (${code}). Check the network (and \`npm config get registry\`, proxies), then run this again.`
  if (/^(EACCES|EPERM|EROFS)$/.test(code))
    return `npm may not write here (${code}). Make this folder yours, then run this again.`
  if (code === 'ENOSPC') return 'The disk is full: Madang needs about 700 MB here. Free some, then run this again.'
  if (code === 'EUSAGE')
    return 'package.json and package-lock.json do not fit together. Run `npm install`, then this again.'
  const lines = stderr.split('\n').filter((line) => /^npm (error|ERR!)/.test(line) && !/complete log|_logs/.test(line))
  const said = lines.map((line) => line.replace(/^npm (?:error|ERR!)\s*/, '').trim()).filter((line) => line !== '')
  return `npm ci failed: ${said.slice(0, 3).join(' · ') || 'it gave no reason'}`
}
