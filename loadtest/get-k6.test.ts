import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findOrBuildK6 } from '../scripts/k6.mjs'
import { temporaryFolder } from '../test/program.ts'

/** A machine with nothing on PATH but `programs` and the system's own tools, and an empty cache folder. */
const machine = (folder: string, programs: Record<string, string>) => {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const [name, script] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`, { mode: 0o755 })
  const said: string[] = []
  const env = { PATH: `${bin}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache'), FOLDER: folder }
  return { bin, said, env, get: (more = {}) => findOrBuildK6((line: string) => said.push(line), { ...env, ...more }) }
}

const k6 = (version: string) => `echo "k6 v${version} (go1.26.8, linux/amd64)"`

/** A Go that notes what it was asked, and makes a k6 of that version. */
const go = (version: string) => `
echo "$1 $2" >> "$FOLDER/asked"
if [[ $1 == mod ]]; then mkdir -p "$FOLDER/module"; printf '{\\n\\t"Dir": "%s",\\n}\\n' "$FOLDER/module"; exit; fi
[[ $PWD == "$FOLDER/module" ]] || exit 9
while [[ $1 != -o ]]; do shift; done
printf '#!/bin/bash\\n%s\\n' '${k6(version)}' > "$2"
chmod +x "$2"`

const asked = (folder: string) => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n')

test('k6 is the one that K6 names, else the one on PATH', async () => {
  using folder = temporaryFolder()
  const { bin, get } = machine(folder.path, { k6: k6('2.0.1'), 'my-k6': k6('3.1.0'), old: k6('1.4.0') })
  expect(await get()).toBe('k6')
  expect(await get({ K6: join(bin, 'my-k6') })).toBe(join(bin, 'my-k6'))
  await expect(get({ K6: join(bin, 'old') })).rejects.toThrow('no k6 2 or later')
})

test('where the one on PATH is too old, one is built into the cache folder: once, also for two that ask at once', async () => {
  using folder = temporaryFolder()
  const { said, env, get } = machine(folder.path, { k6: k6('1.4.0'), go: go('2.2.0') })
  const built = join(env.XDG_CACHE_HOME, 'madang', 'k6-2.2.0', 'k6')
  expect(await Promise.all([get(), get()])).toEqual([built, built])
  expect(asked(folder.path)).toEqual(['mod download', 'build -trimpath'])
  expect(said).toEqual([expect.stringContaining('Building k6 2.2.0'), expect.stringContaining('waiting')])
  expect(await get()).toBe(built)
  expect(asked(folder.path)).toHaveLength(2)
  expect(readdirSync(join(built, '..'))).toEqual(['k6'])
})

test('a build that fails says why in one line, leaves nothing, and can be tried again', async () => {
  using folder = temporaryFolder()
  const broken = 'echo "go: downloading x v1" >&2; echo "dial: no route to host" >&2; exit 1'
  const first = machine(folder.path, { go: broken })
  await expect(first.get()).rejects.toThrow(/^k6 could not be built: dial: no route to host$/)
  const cache = join(first.env.XDG_CACHE_HOME, 'madang', 'k6-2.2.0')
  expect(readdirSync(cache)).toEqual([])
  await machine(folder.path, { go: go('2.2.0') }).get()
  expect(existsSync(join(cache, 'k6'))).toBe(true)
})

test('without k6 and Go, the line says what to install', async () => {
  using folder = temporaryFolder()
  const { get, env } = machine(folder.path, { nice: 'shift 2; exec "$@"' })
  await expect(get({ PATH: env.PATH.split(':')[0] })).rejects.toThrow(
    /^Load tests need k6, and there is neither a k6 2 nor a Go .* install Go 1\.26/,
  )
})
