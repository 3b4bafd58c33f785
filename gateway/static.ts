import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { HttpReply } from './http/reply.ts'

export interface StaticFiles {
  /** The reply to GET of this decoded path; null where there is no such file or page. */
  reply(path: string, headers: ReadonlyMap<string, string>): HttpReply | null
}

interface File {
  bytes: Uint8Array
  /** Smaller under gzip; null where it is not. */
  gzip: Uint8Array | null
  etag: string
  type: string
  cacheControl: string
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.gif': 'image/gif',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.webm': 'video/webm',
  '.mp4': 'video/mp4',
}
const COMPRESSIBLE = /^(text\/|application\/(json|manifest|wasm)|image\/svg)/
const GZIP_FROM_BYTES = 1_024
const IMMUTABLE = 'public, max-age=31536000, immutable'
const INDEX = '/index.html'

const MISSING_PAGE = `<!doctype html><meta charset="utf-8"><title>Madang</title>
<h1>The page has not been built</h1>
<p>This server runs, and its API answers under <code>/v1</code>. To build the page: <code>npm start</code> in the checkout.</p>`

/**
 * Returns the files under `directory` as they are now, read into memory once, so that a path can only ever name one of them.
 * `/`, `/play/ROOM` and `/transports` are the single page. A directory without one is looked at again with each request of the page.
 */
export const staticFiles = (directory: string): StaticFiles => {
  let files = load(directory)

  const find = (path: string): File | undefined => {
    const isPage = /^\/(play\/[A-Za-z0-9_-]{1,64}\/?|transports\/?)?$/.test(path)
    if (isPage && !files.has(INDEX)) files = load(directory)
    return files.get(isPage ? INDEX : path) ?? (isPage ? missing : undefined)
  }

  return {
    reply(path, headers) {
      const file = find(path)
      if (!file) return null
      const usesGzip = file.gzip !== null && acceptsGzip(headers.get('accept-encoding') ?? '')
      const etag = usesGzip ? `"${file.etag}-gz"` : `"${file.etag}"`
      const common = {
        ETag: etag,
        'Cache-Control': file.cacheControl,
        ...(file.gzip ? { Vary: 'Accept-Encoding' } : {}),
      }
      if (isHeld(headers.get('if-none-match'), etag)) return { status: 304, headers: common, body: '' }
      const encoding: Record<string, string> = usesGzip ? { 'Content-Encoding': 'gzip' } : {}
      const body = usesGzip && file.gzip ? file.gzip : file.bytes
      return {
        status: file === missing ? 503 : 200,
        headers: { ...common, ...encoding, 'Content-Type': file.type },
        body,
      }
    },
  }
}

const load = (directory: string): Map<string, File> => {
  const files = new Map<string, File>()
  for (const path of list(directory)) {
    const name = `/${relative(directory, path).split(sep).join('/')}`
    files.set(name, fileOf(name, readFileSync(path)))
  }
  return files
}

const list = (directory: string): string[] => {
  try {
    const entries = readdirSync(directory, { withFileTypes: true, recursive: true })
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  } catch {
    return []
  }
}

const fileOf = (name: string, bytes: Uint8Array): File => {
  const type = TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream'
  const gzip = COMPRESSIBLE.test(type) && bytes.length >= GZIP_FROM_BYTES ? gzipSync(bytes) : null
  return {
    bytes,
    gzip: gzip && gzip.length < bytes.length ? gzip : null,
    etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
    type,
    cacheControl: name.startsWith('/assets/') ? IMMUTABLE : 'no-cache',
  }
}

const missing: File = { ...fileOf(INDEX, new TextEncoder().encode(MISSING_PAGE)), cacheControl: 'no-store' }

const acceptsGzip = (accepted: string): boolean =>
  /(^|[\s,])(gzip|\*)\s*(?!\s*;\s*q=0(\.0*)?\s*(,|$))(;|,|$)/i.test(accepted)

const isHeld = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch?.split(',').some((held) => held.trim() === '*' || held.trim().replace(/^W\//, '') === etag) ?? false
