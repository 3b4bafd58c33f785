import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')

/** Runs the commands that docs/operations.md has under this mark, in the checkout. Throws where there are none, or they fail. */
export const runFromDocs = (mark: string, env: Readonly<Record<string, string>>): void => {
  const block = new RegExp(`<!-- run: ${mark} -->\n+\`\`\`sh\n([\\s\\S]*?)\`\`\``).exec(operations)?.[1]
  if (block === undefined) throw new Error(`docs/operations.md has no commands marked ${mark}`)
  execFileSync('sh', ['-euc', block], { cwd: ROOT, env: { PATH: process.env.PATH ?? '', ...env }, stdio: 'pipe' })
}
