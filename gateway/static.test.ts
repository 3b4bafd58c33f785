import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { staticFiles } from './static.ts'

let root: string
let dist: string
const script = 'console.log("hello")\n'.repeat(200)

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'madang-static-'))
  dist = join(root, 'dist')
  mkdirSync(join(dist, 'assets'), { recursive: true })
  writeFileSync(join(root, 'secret.txt'), 'secret')
  writeFileSync(join(dist, 'index.html'), '<!doctype html><title>the page</title>')
  writeFileSync(join(dist, 'assets', 'main-abc123.js'), script)
  writeFileSync(join(dist, 'assets', 'dot.png'), new Uint8Array(3_000))
})
afterEach(() => rmSync(root, { recursive: true }))

const get = (path: string, headers: Record<string, string> = {}) =>
  staticFiles(dist).reply(path, new Map(Object.entries(headers)))
const text = (body: Uint8Array | string | undefined) => (body === undefined ? '' : Buffer.from(body).toString())

test.each(['/', '/play/room-1', '/play/room-1/', '/transports', '/index.html'])(
  '%s is the page, and is asked for anew each time',
  (path) => {
    const reply = get(path)
    expect(reply).toMatchObject({
      status: 200,
      headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache' },
    })
    expect(text(reply?.body)).toContain('the page')
  },
)

test('a hashed asset is kept for ever, with its type and an ETag', () => {
  const reply = get('/assets/main-abc123.js')
  expect(reply?.headers).toMatchObject({
    'Content-Type': 'text/javascript; charset=utf-8',
    'Cache-Control': 'public, max-age=31536000, immutable',
    ETag: expect.stringMatching(/^"[\w-]+"$/),
  })
  expect(text(reply?.body)).toBe(script)
})

test('what the client holds is not sent again', () => {
  const etag = get('/')?.headers.ETag ?? ''
  for (const held of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const reply = get('/', { 'if-none-match': held })
    expect(reply).toMatchObject({ status: 304, body: '', headers: { ETag: etag } })
  }
  expect(get('/', { 'if-none-match': '"other"' })?.status).toBe(200)
  writeFileSync(join(dist, 'index.html'), 'another page')
  expect(get('/', { 'if-none-match': etag })?.status).toBe(200)
})

test('text goes out compressed where the client takes it, under an ETag of its own', () => {
  const plain = get('/assets/main-abc123.js')
  const packed = get('/assets/main-abc123.js', { 'accept-encoding': 'br, gzip;q=0.8' })
  expect(packed?.headers).toMatchObject({ 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' })
  expect(packed?.headers.ETag).not.toBe(plain?.headers.ETag)
  expect(gunzipSync(Buffer.from(packed?.body ?? '')).toString()).toBe(script)
  for (const refuses of ['br', 'gzip;q=0', 'identity'])
    expect(get('/assets/main-abc123.js', { 'accept-encoding': refuses })?.headers).not.toHaveProperty(
      'Content-Encoding',
    )
  expect(get('/assets/dot.png', { 'accept-encoding': 'gzip' })?.headers).not.toHaveProperty('Content-Encoding')
})

test.each([
  '/../secret.txt',
  '/assets/../../secret.txt',
  '//secret.txt',
  '/assets',
  '/play/',
  '/play/a/b',
  '/play/no room',
  '/nothing',
  '/.',
  '/assets\\..\\secret.txt',
  '/\0',
])('%j names no file', (path) => {
  expect(get(path)).toBeNull()
})

test('without a built page `/` says so and how to build it, and shows the page once it is there', () => {
  const files = staticFiles(join(root, 'later'))
  const missing = files.reply('/', new Map())
  expect(missing?.status).toBe(503)
  expect(text(missing?.body)).toContain('npm start')
  mkdirSync(join(root, 'later'))
  writeFileSync(join(root, 'later', 'index.html'), 'built')
  expect(text(files.reply('/', new Map())?.body)).toBe('built')
})
