import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findDeployParsers } from '../../scripts/deploy-parsers.mjs'
import { Problem } from '../../scripts/problem.mjs'

export const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url))

/** Where the parsers are, or null where this machine has no pip to get them with: what they read is then not checked, but in CI. */
export const PARSERS = await findDeployParsers((line) => console.error(line)).catch((error: unknown) => {
  if (!(error instanceof Problem) || process.env.CI === 'true') throw error
  console.error(`Skipped: tests of what Docker and Kubernetes read. ${error.message}`)
  return null
})

interface Run {
  input?: string
  env?: Record<string, string>
  cwd?: string
}

/** What a program of theirs prints. Throws where it fails, or complains. */
export const runParser = (program: string, args: readonly string[], run: Run = {}): string => {
  if (PARSERS === null) throw new Error('there are no parsers')
  const command = program === 'python3' ? program : join(PARSERS, 'bin', program)
  try {
    return execFileSync(command, args, {
      cwd: run.cwd ?? DEPLOY,
      encoding: 'utf8',
      input: run.input ?? '',
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', PYTHONPATH: PARSERS, ...run.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  } catch (error) {
    if (!(error instanceof Error && 'stdout' in error && 'stderr' in error)) throw error
    throw new Error(`${program} ${args.join(' ')}:\n${error.stdout}${error.stderr}`, { cause: error })
  }
}
