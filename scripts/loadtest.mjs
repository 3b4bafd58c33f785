// `npm run loadtest`: sets up what is missing, then runs loadtest/run.ts with the given arguments.
import { join } from 'node:path'
import { checkNode } from './node-version.mjs'

/** @param {string[]} args */
const loadTest = async (args) => {
  const { run } = await import('./child.mjs')
  const { orSayWhy } = await import('./problem.mjs')
  const { ROOT, setUp } = await import('./setup.mjs')
  const ready = await orSayWhy(() => setUp())
  if (ready === null) return
  const { code } = await run(ready.node, [join(ROOT, 'loadtest', 'run.ts'), ...args], { cwd: ROOT })
  process.exitCode = code
}

if (checkNode()) loadTest(process.argv.slice(2))
