import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createWorker, version } from 'mediasoup'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findMediaWorker as findHere } from '../cli/media-worker.ts'
import { findMediaWorker } from '../scripts/media-worker/find.mjs'
import { placeOf } from '../scripts/media-worker/place.mjs'
import { fetchPrebuilt } from '../scripts/media-worker/prebuilt.mjs'
import { prepareMediaWorker } from '../scripts/media-worker/prepare.mjs'
import { ninjaProgress, readProgress } from '../scripts/media-worker/progress.mjs'
import { setUp } from '../scripts/setup.mjs'
import { makeCheckout } from './checkout.ts'
import { until } from './program.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const NOWHERE = 'http://127.0.0.1:9'

/** What mediasoup's worker does too where nobody says which mediasoup it belongs to. */
const WORKER = '#!/bin/sh\nexit 41\n'
const MAKE = `printf '#!/bin/sh\\nexit 41\\n' > "$2/mediasoup-worker"; chmod +x "$2/mediasoup-worker"`
/** Notes that it was run, and works, line by line, until a file named `go` is there. */
const WAIT = `
echo "\${1#"$PWD"}" >> "$FOLDER/runs"
echo 'Setting up'
while [[ ! -e $FOLDER/go ]]; do echo '[3/8] Compiling C++ object'; sleep 0.02; done
${MAKE}`

let folder = ''
let env: NodeJS.ProcessEnv = {}
const children: ChildProcess[] = []
const ends: (() => void)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'madang-worker-'))
  env = { PATH: process.env.PATH, XDG_CACHE_HOME: join(folder, 'cache'), FOLDER: folder }
  env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL = NOWHERE
})
afterEach(async () => {
  write('go', '')
  for (const end of ends.splice(0)) end()
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await until(() => findMediaWorker(folder, env).is !== 'preparing', 'what prepares in the background')
  rmSync(folder, { recursive: true, force: true })
})

const write = (path: string, text: string, mode = 0o644) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text, { mode })
}

/** A checkout in `folder` with mediasoup installed, whose recipe is `script`. */
const checkoutWith = (script: string) => {
  makeCheckout(folder)
  symlinkSync(join(ROOT, 'node_modules', 'mediasoup'), join(folder, 'node_modules', 'mediasoup'))
  recipe(script)
}
const recipe = (script: string) => {
  rmSync(join(folder, 'scripts', 'media-worker', 'build-worker.sh'))
  write('scripts/media-worker/build-worker.sh', `#!/bin/bash\nset -e\n${script}\n`, 0o755)
}

const find = () => findMediaWorker(folder, env)
const place = () => placeOf(folder, env) ?? expect.unreachable('mediasoup is installed')
const runs = () =>
  existsSync(join(folder, 'runs')) ? readFileSync(join(folder, 'runs'), 'utf8').split('\n').length - 1 : 0
const prepare = () => {
  const said: string[] = []
  return { said, done: prepareMediaWorker(folder, env, (line) => said.push(line)) }
}

const start = (args: string[]) => {
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  children.push(child)
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => (printed.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (printed.stderr += text))
  return { child, printed }
}

/** Answers as the place that mediasoup downloads from. */
const serve = async (answer: RequestListener) => {
  const server = createServer(answer).listen(0, '127.0.0.1')
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test("the worker is kept in the user's cache, by version, recipe and machine", () => {
  checkoutWith(MAKE)
  const first = place()
  expect(first.worker).toMatch(
    new RegExp(`^${folder}/cache/madang/media-worker-${version}-[0-9a-f]{12}/mediasoup-worker$`),
  )
  expect(placeOf(folder, { XDG_CACHE_HOME: '' })?.worker).toBe(
    join(homedir(), '.cache', 'madang', first.folder.split('/').at(-1) ?? '', 'mediasoup-worker'),
  )
  write('scripts/media-worker/overlay/libuv/meson.build', 'another')
  const second = place()
  expect(second.folder).not.toBe(first.folder)
  write('scripts/media-worker/find.mjs', '// not part of the recipe')
  expect(place()).toEqual(second)
  rmSync(join(folder, 'node_modules', 'mediasoup'))
  expect(placeOf(folder, env)).toBeNull()
  expect(find()).toEqual({ is: 'failed', problem: 'mediasoup is not installed: `npm start` installs it.' })
})

test('the worker that MEDIASOUP_WORKER_BIN names is taken as it is, and nothing is prepared', async () => {
  checkoutWith(WAIT)
  write('worker', WORKER, 0o755)
  env.MEDIASOUP_WORKER_BIN = join(folder, 'worker')
  expect(find()).toEqual({ is: 'ready', path: env.MEDIASOUP_WORKER_BIN })
  expect(await prepare().done).toBe(env.MEDIASOUP_WORKER_BIN)
  chmodSync(env.MEDIASOUP_WORKER_BIN, 0o644)
  const problem = `MEDIASOUP_WORKER_BIN names ${env.MEDIASOUP_WORKER_BIN}, which is no program that can be run.`
  expect(find()).toEqual({ is: 'failed', problem })
  await expect(prepare().done).rejects.toThrow(problem)
  expect(runs()).toBe(0)
  expect(existsSync(join(folder, 'cache'))).toBe(false)
})

test('of two that prepare at once one builds, and both tell how far it is', async () => {
  checkoutWith(WAIT)
  expect(find()).toMatchObject({
    is: 'failed',
    problem: expect.stringContaining('not prepared. `npm start` prepares it'),
  })
  const both = [prepare(), prepare()]
  const preparing = await until(() => {
    const found = find()
    return found.is === 'preparing' && found.progress !== null && found
  }, 'progress')
  expect(preparing).toEqual({ is: 'preparing', progress: 3 / 8 })
  expect(existsSync(place().worker)).toBe(false)
  write('go', '')
  expect(await Promise.all(both.map(({ done }) => done))).toEqual([place().worker, place().worker])
  expect(runs()).toBe(1)
  expect(both.flatMap(({ said }) => said).filter((line) => line.includes('waiting for it'))).toHaveLength(1)
  expect(find()).toEqual({ is: 'ready', path: place().worker })
  expect(readdirSync(place().folder).sort()).toEqual(['build.log', 'mediasoup-worker'])
  expect(readFileSync(place().log, 'utf8')).toContain('[3/8] Compiling')
  expect(await prepare().done).toBe(place().worker)
  expect(runs()).toBe(1)
})

test('a build that fails says why in one line and where the rest is, leaves no half file, and is tried again', async () => {
  checkoutWith(
    `[[ -e $FOLDER/go ]] || { echo half > "$2/mediasoup-worker"; echo 'x.cpp:1: error: y' >&2; exit 1; }; ${MAKE}`,
  )
  const said = await prepare().done.catch((error: Error) => error.message)
  expect(said).toMatch(/^The media worker could not be built: .*x\.cpp:1: error: y\. /)
  expect(said).toContain(
    ` ${place().log} has it all; the next start tries again. Or name a mediasoup-worker in MEDIASOUP_WORKER_BIN`,
  )
  expect(said).not.toContain('\n')
  expect(find()).toEqual({ is: 'failed', problem: said })
  expect(readdirSync(place().folder).sort()).toEqual(['build.log', 'progress.json'])
  write('go', '')
  expect(await prepare().done).toBe(place().worker)
  expect(find().is).toBe('ready')
})

test('a worker that was built and does not run here is not kept', async () => {
  checkoutWith(`printf '#!/bin/sh\\nexit 127\\n' > "$2/mediasoup-worker"; chmod +x "$2/mediasoup-worker"`)
  await expect(prepare().done).rejects.toThrow(/does not run here \(127\)/)
  expect(existsSync(place().worker)).toBe(false)
})

test('what the user must do comes as the recipe says it', async () => {
  checkoutWith("echo 'Setting up' >&2; echo 'Do this.' >&2; exit 3")
  await expect(prepare().done).rejects.toThrow(
    /^Video needs mediasoup's worker\. Do this\. Or name a mediasoup-worker in /,
  )
})

test.runIf(process.platform === 'linux')(
  'who may not install the packages that are missing is told their names',
  () => {
    chmodSync(folder, 0o777)
    write('bin/dpkg-query', '#!/bin/sh\nfor last; do :; done\n[ "$last" = patch ] || printf installed\n', 0o755)
    const isRoot = process.getuid?.() === 0
    const script = join(ROOT, 'scripts', 'media-worker', 'build-worker.sh')
    const isDebian = /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
    const { status, stderr } = spawnSync(
      '/bin/bash',
      [script, join(ROOT, 'node_modules/mediasoup/worker'), `${folder}/w`],
      {
        env: { PATH: `${folder}/bin:/usr/bin:/bin` },
        encoding: 'utf8',
        ...(isRoot ? { uid: 65_534 } : {}),
      },
    )
    expect(stderr.trim()).toMatch(
      isDebian
        ? /^Building it needs packages of Debian: sudo apt-get install --no-install-recommends patch\b/
        : /Debian 12 or later only/,
    )
    expect(status).toBe(3)
  },
)

test('a builder that is killed leaves nothing half done, is not taken for one at work, and the next goes on', async () => {
  checkoutWith(`[[ -e $2/configured ]] && echo resumed >> "$FOLDER/resumed"; touch "$2/configured"\n${WAIT}`)
  const { child } = start(['scripts/media-worker.mjs'])
  await until(() => readProgress(place().progress)?.progress, 'progress')
  expect(find()).toEqual({ is: 'preparing', progress: 3 / 8 })
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(find()).toMatchObject({ is: 'failed', problem: expect.stringContaining('was cut short. `npm start`') })
  expect(existsSync(place().worker)).toBe(false)
  const next = prepare()
  await until(() => find().is === 'preparing', 'the next')
  write('go', '')
  expect(await next.done).toBe(place().worker)
  expect(existsSync(join(folder, 'resumed'))).toBe(true)
  expect(runs()).toBe(2)
  expect(readdirSync(place().folder).sort()).toEqual(['build.log', 'mediasoup-worker'])
})

test("mediasoup's own download is used where it is to be had and runs here", async () => {
  checkoutWith(WAIT)
  write('release/mediasoup-worker', WORKER, 0o755)
  const archive = execFileSync('tar', ['-czf', '-', '-C', join(folder, 'release'), 'mediasoup-worker'])
  const asked: string[] = []
  env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL = await serve((request, response) => {
    asked.push(request.url ?? '')
    response.end(archive)
  })
  expect(await prepare().done).toBe(place().worker)
  expect(asked).toEqual([expect.stringMatching(new RegExp(`^/${version}/mediasoup-worker-${version}-.*\\.tgz$`))])
  expect(readFileSync(place().worker, 'utf8')).toBe(WORKER)
  expect(runs()).toBe(0)
  expect(readdirSync(place().folder).sort()).toEqual(['build.log', 'mediasoup-worker'])
})

test.for([
  ['does not run here', '#!/bin/sh\nexit 127\n'],
  ['is no archive', null],
] as const)('where the download %s, the worker is built', async ([, worker]) => {
  checkoutWith(MAKE)
  write('release/mediasoup-worker', worker ?? '', 0o755)
  const archive = execFileSync('tar', ['-czf', '-', '-C', join(folder, 'release'), 'mediasoup-worker'])
  env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL = await serve((_, response) => {
    response.end(worker === null ? '<html>' : archive)
  })
  expect(await prepare().done).toBe(place().worker)
  expect(readFileSync(place().worker, 'utf8')).toBe(WORKER)
})

test('who asks mediasoup for no download gets none', async () => {
  checkoutWith(MAKE)
  let isAsked = false
  env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL = await serve((_, response) => {
    isAsked = true
    response.end()
  })
  env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD = 'true'
  expect(await prepare().done).toBe(place().worker)
  expect(isAsked).toBe(false)
})

test('a download that nobody answers is given up', async () => {
  checkoutWith(MAKE)
  const asked = Promise.withResolvers<void>()
  env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL = await serve(() => asked.resolve())
  const log = openSync(join(folder, 'log'), 'w')
  const fetched = fetchPrebuilt(folder, { file: join(folder, 'worker'), work: folder, log, env, answerWithinMs: 500 })
  await asked.promise
  expect(await fetched).toBe(false)
  expect(existsSync(join(folder, 'worker'))).toBe(false)
})

/** Stands for `madang start`. */
const PROGRAM = `export const main = async (args) => {
  setInterval(() => {}, 1000)
  console.log('ready')
}`
const programWith = async (script: string) => {
  checkoutWith(script)
  write('cli/madang.ts', PROGRAM)
  await setUp(folder, () => {})
}
const PREPARING = 'Video is being prepared in the background (about 8 minutes); games run meanwhile.\n'

test('npm start prepares it in the background, says so, and says when it is ready', async () => {
  await programWith(WAIT)
  const { printed } = start(['scripts/start.mjs'])
  await until(() => printed.stderr.includes('\n'), 'a line')
  expect(printed.stdout).toBe('ready\n')
  expect(printed.stderr).toBe(PREPARING)
  write('go', '')
  await until(() => printed.stderr.includes('ready'), 'the end')
  expect(printed.stderr).toBe(`${PREPARING}Video is ready.\n`)
  expect(find().is).toBe('ready')
})

test('the preparation goes on when the server ends, and the next start finds it at work', async () => {
  await programWith(WAIT)
  const first = start(['scripts/start.mjs'])
  await until(() => first.printed.stderr.includes('\n'), 'a line')
  // As the terminal does it at Ctrl-C: to all that it holds together.
  process.kill(-(first.child.pid ?? 0), 'SIGINT')
  await once(first.child, 'close')
  expect(find()).toEqual({ is: 'preparing', progress: 3 / 8 })
  const second = start(['scripts/start.mjs'])
  await until(() => second.printed.stderr.includes('\n'), 'a line')
  expect(second.printed.stderr).toBe(PREPARING)
  write('go', '')
  await until(() => second.printed.stderr.includes('ready'), 'the end')
  expect(runs()).toBe(1)
})

test('npm start says why there is no video, and runs', async () => {
  await programWith("echo 'Do this.' >&2; exit 3")
  const { child, printed } = start(['scripts/start.mjs'])
  await until(() => printed.stderr.includes('Do this'), 'a line')
  expect(printed.stderr).toMatch(
    /^(Video is being.*\n)?There is no video for now\. Video needs mediasoup's worker\. Do this\..*\n$/,
  )
  expect(printed.stdout).toBe('ready\n')
  expect(child.exitCode).toBeNull()
})

test('where the cache folder may not be written, npm start says so, and runs', async () => {
  await programWith(MAKE)
  write('cache', 'a file')
  const { printed } = start(['scripts/start.mjs'])
  await until(() => printed.stderr.includes('\n'), 'a line')
  expect(printed.stderr).toBe(
    `There is no video for now. The media worker cannot be kept in ${place().folder}: no permission to write. Set XDG_CACHE_HOME, or name a worker in MEDIASOUP_WORKER_BIN.\n`,
  )
  expect(printed.stdout).toBe('ready\n')
  await expect(prepare().done).rejects.toThrow('cannot be kept')
})

test('progress is read from the lines that ninja writes', () => {
  expect(ninjaProgress('[1/279] Compiling a\n[27/279] Compiling b\n')).toBe(27 / 279)
  expect(ninjaProgress('[279/279] Linking\n')).toBe(1)
  expect(ninjaProgress('ninja: Entering directory\n  [1/2] not at its beginning\n')).toBeNull()
  expect(ninjaProgress('[0/0] nothing')).toBeNull()
})

test('the worker that set-up made belongs to this mediasoup: it starts and answers', async () => {
  const found = findHere(process.env)
  if (found.is !== 'ready') throw new Error(JSON.stringify(found))
  const worker = await createWorker({ workerBin: found.path, logLevel: 'none' })
  expect(await worker.dump()).toMatchObject({ pid: worker.pid, webRtcServerIds: [], routerIds: [] })
  const router = await worker.createRouter()
  expect((await worker.dump()).routerIds).toEqual([router.id])
  worker.close()
})
