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
})

/** Loaded where video is used only, as video.test.ts holds. */
const VIDEO = /^(pre-join|table-video|video|media|mediasoup)-/
const VIDEO_BYTES = 90 * 1024

const weightOf = (scripts: readonly string[]): number =>
  scripts.reduce((sum, name) => sum + gzipSync(readFileSync(`${ASSETS}/${name}`)).length, 0)

test('all scripts of the page together, every board among them, weigh at most 150 KB compressed; video, for who uses it, 90 KB more', () => {
  const scripts = readdirSync(ASSETS).filter((name) => name.endsWith('.js'))
  const [video, others] = [scripts.filter((name) => VIDEO.test(name)), scripts.filter((name) => !VIDEO.test(name))]
  expect(others.length).toBeGreaterThan(1)
  expect(video.length).toBeGreaterThan(1)
  expect(weightOf(others)).toBeLessThanOrEqual(SCRIPT_BYTES)
  expect(weightOf(video)).toBeLessThanOrEqual(VIDEO_BYTES)
})
