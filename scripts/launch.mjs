import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { abiOf } from './node-runtime.mjs'
import { orSayWhy } from './problem.mjs'
import { setUp } from './setup.mjs'

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
  const { main } = await import('../cli/madang.ts')
  await main(args)
}

/**
 * Runs this script's command line again on another Node, hands it the signals that reach this process, and ends as it ends.
 * @param {string} node
 * @param {string} script
 */
const relaunch = (node, script) => {
  const child = spawn(node, [fileURLToPath(script), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
  })
}

/** A child of `relaunch` whose parent was killed must not go on unseen: the channel between them tells. */
const endWithParent = () => {
  if (!process.connected) return
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel?.unref()
}
