import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startMadang, temporaryFolder } from './program.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const blocks = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code]) => code ?? '',
)
const [rules = '', app = ''] = blocks

// Inside the checkout, so that `madang/rules` and the packages are found as in a project that depends on Madang; where no other test looks.
let folder = ''
beforeAll(() => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true })
  folder = mkdtempSync(join(ROOT, '.cache', 'readme-'))
  mkdirSync(join(folder, 'games', 'race'), { recursive: true })
  writeFileSync(join(folder, 'games', 'race', 'rules.ts'), rules)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("the README's game and SDK example compile under the strictest settings", () => {
  writeFileSync(join(folder, 'app.ts'), app)
  const config = { extends: '../../tsconfig.json', include: ['.'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const { stdout, status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})

test("the README's SDK example plays the README's game to its end", async () => {
  using data = temporaryFolder()
  const games = `${join(folder, 'games')},games`
  const program = await startMadang(['--data', data.path, '--games', games])
  const file = join(folder, 'race.ts')
  writeFileSync(file, app.replace('http://localhost:3000', program.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file])
  expect(stderr).toBe('')
  const lines = stdout.trim().split('\n')
  expect(lines[0]).toMatch(/^(open|playing) /)
  expect(lines.at(-1)).toMatch(/^over .*\b1[0-5]\b/)
  await program.kill('SIGTERM')
})
