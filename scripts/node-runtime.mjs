import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from './problem.mjs'

/** Node's ABI by major version, where uWebSockets.js has a build and `.ts` runs as it is. Node 26 has no build yet. */
const ABI = /** @type {Record<number, string>} */ ({ 24: '137', 25: '141' })

/**
 * The ABI of a Node that can run Madang, or null. Pure.
 * @param {string} version as in process.version
 * @returns {string | null}
 */
export const abiOf = (version) => ABI[Number(version.slice(1).split('.')[0])] ?? null

/**
 * The Node to run Madang on: this one where it will do, else the one that npm installed; null where there is none yet.
 * Throws Problem where none can be had on this platform, or the installed one does not run.
 * @param {string} root
 * @returns {{ path: string, abi: string } | null}
 */
export const findNode = (root) => {
  const own = abiOf(process.version)
  if (own !== null) return { path: process.execPath, abi: own }
  const { platform, arch } = process
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64'))
    throw new Problem(
      `Madang runs on Node 24 or 25; this is ${process.version}. Install Node 24 from https://nodejs.org.`,
    )
  const path = join(root, 'node_modules', `node-linux-${arch}`, 'bin', 'node')
  return existsSync(path) ? { path, abi: ABI[24] ?? '' } : null
}

/**
 * Loads uWebSockets.js in a process of its own, once after an install. Throws Problem where it does not load.
 * @param {string} root
 * @param {string} node
 */
export const tryUws = (root, node) => {
  try {
    execFileSync(node, ['-e', "require('uWebSockets.js').App"], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    })
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    const reason = /Error: (?!This version)(.*)/.exec(said)?.[1] ?? said.trim().split('\n')[0]
    throw new Problem(`uWebSockets.js does not load here: ${reason}. See docs/decisions/uws-binary.md.`)
  }
}
