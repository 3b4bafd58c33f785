import { spawn } from 'node:child_process'
import module from 'node:module'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepareInBackground } from './media-worker/background.mjs'
import { abiOf } from './node-runtime.mjs'
import { orSayWhy } from './problem.mjs'
import { ROOT, setUp } from './setup.mjs'

const PARENT_CHECK_MS = 500
const CACHE_AFTER_MS = 5_000
/** By then a start that cannot be, or only shows help, has ended. */
const PREPARE_VIDEO_AFTER_MS = 1_000

/**
 * Sets up what is missing, then runs the CLI: in this process where its Node will do, else in a child that runs `script` again
 * on the right one. Sets the exit code.
 * @param {string} script the file URL of the script that calls this
 * @param {string[]} args of `madang`
 */
export const launch = async (script, args) => {
  const ready = await orSayWhy(() => setUp())
  if (ready === null) return
  if (ready.installed || abiOf(process.version) === null) return relaunch(ready.node, script)
  endWithParent()
  // Keeps what Node compiles of our sources, types stripped: the next start need not. Harmless where it cannot write.
  module.enableCompileCache?.(join(ROOT, '.cache', 'node'))
  // Written at exit, and here too, for a process that will be killed.
  setTimeout(() => module.flushCompileCache?.(), CACHE_AFTER_MS).unref()
  if (args[0] === 'start')
    setTimeout(
      () => prepareInBackground(ROOT, process.env, (line) => console.error(line)),
      PREPARE_VIDEO_AFTER_MS,
    ).unref()
  const { main } = await import('../cli/madang.ts')
  await main(args)
}

/**
 * Runs this script's command line again on another Node, hands it the signals that reach this process, and ends as it ends.
 * @param {string} node
 * @param {string} script
 */
const relaunch = (node, script) => {
  endWithParent()
  const child = spawn(node, [fileURLToPath(script), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
  })
}

/**
 * A server whose starter was killed must not go on unseen: it ends as by SIGTERM. A child of `relaunch` learns it from the
 * channel between them; what npm started (npm dies without a word to it), by having another parent.
 */
const endWithParent = () => {
  const end = () => process.kill(process.pid, 'SIGTERM')
  if (process.connected) {
    process.once('disconnect', end)
    process.channel?.unref()
  } else if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid
    const watch = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(watch)
      end()
    }, PARENT_CHECK_MS).unref()
  }
}
