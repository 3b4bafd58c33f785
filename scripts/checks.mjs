import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './child.mjs'
import { findOrBuildK6 } from './k6.mjs'
import { prepareMediaWorker } from './media-worker/prepare.mjs'
import { findOrInstallNats } from './nats-server.mjs'
import { orSayWhy, Problem } from './problem.mjs'
import { ROOT, setUp } from './setup.mjs'
import { CHROMIUM, COTURN, FIREFOX, findOrInstall, HAPROXY, SYSTEMD } from './test-programs.mjs'

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */

/** What a check that is not a test counts as: one. */
const TOOLS = [
  { name: 'format and lint', script: '@biomejs/biome/bin/biome', args: ['ci', '.'] },
  { name: 'types', script: 'typescript/bin/tsc', args: ['-p', '.'] },
  { name: 'unused code (knip)', script: 'knip/bin/knip.js', args: ['--no-progress'] },
]

/**
 * Runs formatter, linter, tsc, knip and vitest, all of them whatever fails, and ends with a line of totals. Sets the exit code.
 * @param {string[]} vitestArgs
 */
export const runChecks = async (vitestArgs) => {
  const ready = await orSayWhy(async () => {
    const { node } = await setUp()
    // Before the programs for tests: both use apt-get, and this waits for one in the background.
    await prepareMediaWorker(ROOT, process.env, console.error)
    return {
      node,
      chromium: await findOrInstall(CHROMIUM, console.error),
      firefox: await ifAny(FIREFOX, console.error),
      turnserver: await ifAny(COTURN, console.error),
      haproxy: await ifAny(HAPROXY, console.error),
      systemdAnalyze: await ifAny(SYSTEMD, console.error),
      natsServer: await findOrInstallNats(console.error),
    }
  })
  if (ready === null) return
  if (vitestArgs.length === 0 || vitestArgs.some((arg) => arg.includes('loadtest'))) startBuildingK6()
  const env = {
    ...process.env,
    MADANG_CHROMIUM: ready.chromium,
    MADANG_FIREFOX: ready.firefox ?? '',
    MADANG_TURNSERVER: ready.turnserver ?? '',
    MADANG_HAPROXY: ready.haproxy ?? '',
    MADANG_SYSTEMD_ANALYZE: ready.systemdAnalyze ?? '',
    MADANG_NATS_SERVER: ready.natsServer,
    PATH: [join(ROOT, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
  }
  const counts = []
  for (const { name, script, args } of TOOLS) {
    console.log(`\n── ${name}`)
    const { code } = await run(ready.node, [join(ROOT, 'node_modules', script), ...args], { cwd: ROOT, env })
    if (code === 0) console.log('passed')
    counts.push({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 })
  }
  console.log('\n── tests')
  counts.push(await runVitest(ready.node, vitestArgs, env))

  const total = counts.reduce(sum)
  if (total.failed > 0) process.exitCode = 1
  console.log(`\n${totalsLine(total)}`)
}

/** Where k6 is missing, building it takes minutes: the load test's own test waits for this, and says what is wrong with it. */
const startBuildingK6 = () => {
  findOrBuildK6((line) => console.error(line)).catch(() => {})
}

/**
 * A program to test with; null where there is none and none can be installed, as Firefox on Ubuntu, which has it as a snap only.
 * Its tests are then skipped, and counted so.
 * @param {import('./test-programs.mjs').TestProgram} program
 * @param {(line: string) => void} say
 */
const ifAny = async (program, say) => {
  try {
    return await findOrInstall(program, say)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    say(`Skipped: ${program.tests}. ${error.message}`)
    return null
  }
}

/**
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Count>}
 */
const runVitest = async (node, args, env) => {
  const report = join(ROOT, '.cache', 'vitest.json')
  mkdirSync(join(ROOT, '.cache'), { recursive: true })
  rmSync(report, { force: true })
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const { code } = await run(node, [vitest, 'run', ...reporters, ...args], { cwd: ROOT, env })
  return countTests(readReport(report), code)
}

/** @typedef {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: { status: string, assertionResults: { status: string }[] }[] }} Report */

/**
 * The totals of vitest's JSON report. A file that failed before its tests ran, and a run that failed in any other way (an
 * unhandled error, no report), count as a failure each. Pure.
 * @param {Report | null} report
 * @param {number} code vitest's exit code
 * @returns {Count}
 */
export const countTests = (report, code) => {
  if (report === null) return { passed: 0, failed: 1, skipped: 0 }
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  const failed = report.numFailedTests + broken.length
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/**
 * @param {string} file
 * @returns {Report | null}
 */
const readReport = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

/**
 * @param {Count} a
 * @param {Count} b
 * @returns {Count}
 */
const sum = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped })

/**
 * `N passed, N failed`, with `, N skipped` where some were. Pure.
 * @param {Count} count
 */
export const totalsLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
