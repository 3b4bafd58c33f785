import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { buildPage, pageReady } from '../../scripts/page.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ASSETS = `${ROOT}web/dist/assets`
const SCRIPT_BYTES = 150 * 1024

beforeAll(async () => {
  if (!pageReady(ROOT)) await buildPage(ROOT, process.execPath, () => {})
}, 60_000)

test('all scripts of the page together, every board among them, weigh at most 150 KB compressed', () => {
  const scripts = readdirSync(ASSETS).filter((name) => name.endsWith('.js'))
  expect(scripts.length).toBeGreaterThan(1)
  const bytes = scripts.map((name) => gzipSync(readFileSync(`${ASSETS}/${name}`)).length)
  expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(SCRIPT_BYTES)
})
