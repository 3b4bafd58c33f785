import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const BIOME = join(ROOT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')

/** Each is one line that reads a clock, sets a timer or takes chance from the system. */
const BANNED = [
  'export const a = Date.now()',
  'export const a = { now: Date.now }',
  'export const { now } = Date',
  'export const a = new Date()',
  'export const a = new Date',
  'export const a = Date()',
  'export const a = performance.now()',
  'export const a = performance',
  'export const a = process.hrtime.bigint()',
  'export const a = setTimeout(() => {}, 5)',
  'export const a = globalThis.setTimeout(() => {}, 5)',
  'export const a = setInterval(() => {}, 5)',
  'export const a = setImmediate(() => {})',
  "export * from 'node:timers/promises'",
  "export { performance } from 'node:perf_hooks'",
  'export const a = Math.random()',
  'export const a = crypto.getRandomValues(new Uint8Array(4))',
  'export const a = globalThis.crypto.randomUUID()',
  "import { randomBytes } from 'node:crypto'\nexport const a = randomBytes(4)",
  "import * as system from 'node:crypto'\nexport const a = system.randomInt(4)",
]
const FINE = `import { createHmac } from 'node:crypto'
export const a = new Date(5).toISOString()
export const b = createHmac('sha256', 'key').update('room').digest('hex')
queueMicrotask(() => {})
`

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'madang-clock-'))
  cpSync(join(ROOT, 'biome.json'), join(folder, 'biome.json'))
  cpSync(join(ROOT, 'scripts', 'lint'), join(folder, 'scripts', 'lint'), { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const Report = z.object({
  diagnostics: z.array(z.object({ category: z.string().nullable(), location: z.object({ path: z.unknown() }) })),
})

/** The files in which the repository's own lint rules find something, and by which rules. */
const lint = async (files: Record<string, string>): Promise<Map<string, Set<string>>> => {
  for (const [file, source] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), source)
  }
  const args = ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none', '.']
  const { stdout } = await promisify(execFile)(BIOME, args, { cwd: folder }).catch(
    (failed: { stdout: string }) => failed,
  )
  const found = new Map<string, Set<string>>()
  for (const { category, location } of Report.parse(JSON.parse(stdout)).diagnostics) {
    const file = typeof location.path === 'string' ? location.path : JSON.stringify(location.path)
    found.set(file, (found.get(file) ?? new Set()).add(category ?? ''))
  }
  return found
}

test('the clock ban bites: each way to the system clock, its timers and its chance is a lint error', async () => {
  const found = await lint(Object.fromEntries(BANNED.map((source, index) => [`engine/room/bad-${index}.ts`, source])))
  const missed = BANNED.filter((_, index) => ![...found.keys()].some((file) => file.includes(`/bad-${index}.ts`)))
  expect(missed).toEqual([])
})

test('what only looks like it is left alone', async () => {
  expect(await lint({ 'engine/room/fine.ts': FINE, 'gateway/fine.ts': FINE })).toEqual(new Map())
})

test('the ban holds in every part but the outermost edge', async () => {
  const source = 'export const a = Date.now()\n'
  const held = ['protocol', 'bus', 'engine/log', 'gateway', 'media', 'client', 'games/x', 'loadtest/games/x']
  const free = [
    'cli/a.ts',
    'scripts/a.ts',
    'test/a.ts',
    'web/a.ts',
    'loadtest/a.ts',
    'gateway/uws.ts',
    'client/edge.ts',
    'bus/a.test.ts',
  ]
  const found = await lint(
    Object.fromEntries([...held.map((part) => `${part}/a.ts`), ...free].map((file) => [file, source])),
  )
  expect([...found.keys()].sort()).toEqual(held.map((part) => `${part}/a.ts`).sort())
})
