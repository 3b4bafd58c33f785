import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child.mjs'
import { Problem } from './problem.mjs'

/** What the page is made of: these folders, and of each game what browsers get. */
const FOLDERS = ['web', 'client', 'protocol', 'games', 'engine/rules']
const FILES = ['package-lock.json', 'tsconfig.json']

/**
 * A hash of all that the page is built from.
 * @param {string} root
 */
const pageHash = (root) => {
  const hash = createHash('sha256')
  for (const file of [...FILES, ...FOLDERS.flatMap((folder) => sourcesOf(root, folder))]) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0')
  }
  return hash.digest('hex')
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
const sourcesOf = (root, folder) => {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return path === 'web/dist' || path === 'web/node_modules' ? [] : sourcesOf(root, path)
      return /\.test\.tsx?$/.test(entry.name) ? [] : [path]
    })
}

/** @param {string} root */
const stampFile = (root) => join(root, '.cache', 'page.sha256')

/**
 * True where web/dist was built from these sources.
 * @param {string} root
 */
export const pageReady = (root) =>
  existsSync(join(root, 'web', 'dist', 'index.html')) &&
  existsSync(stampFile(root)) &&
  readFileSync(stampFile(root), 'utf8') === pageHash(root)

/**
 * Builds the page aside and puts it in place when whole: a failed build leaves the old one. Throws Problem with what the
 * bundler said.
 * @param {string} root
 * @param {string} node
 * @param {(child: number | null) => void} working
 */
export const buildPage = async (root, node, working) => {
  const hash = pageHash(root)
  const cache = join(root, '.cache')
  // Of its own: tests of several files may find at once that the page is not as the sources are.
  const fresh = join(cache, `page-${process.pid}`)
  const old = join(cache, `page-old-${process.pid}`)
  const dist = join(root, 'web', 'dist')
  mkdirSync(cache, { recursive: true })
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const args = [vite, 'build', 'web', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn']
  // Whoever asks may be a test: the page that is built is always the real one.
  const env = { ...process.env, NODE_ENV: 'production', NO_COLOR: '1', FORCE_COLOR: '0' }
  const { code, stderr } = await run(node, args, { cwd: root, env, stdout: 'ignore', stderr: 'pipe', started: working })
  working(null)
  if (code !== 0) throw new Problem(`The page could not be built.\n${withoutStack(stderr)}`)
  rmSync(stampFile(root), { force: true })
  rmSync(old, { recursive: true, force: true })
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(fresh, dist)
  rmSync(old, { recursive: true, force: true })
  writeFileSync(stampFile(root), hash)
}

/** @param {string} said */
const withoutStack = (said) =>
  said
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at |^\s*errors: |^}$/.test(line))
    .join('\n')
