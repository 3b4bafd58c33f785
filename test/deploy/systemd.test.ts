import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isLoopback } from '../../cli/config.ts'
import { expectStarts } from './flags.ts'

const UNITS = fileURLToPath(new URL('../../deploy/systemd/', import.meta.url))
/** systemd's own program for it: the one that MADANG_SYSTEMD_ANALYZE names, else Debian's; null where it names none. */
const ANALYZE =
  process.env.MADANG_SYSTEMD_ANALYZE === '' ? null : (process.env.MADANG_SYSTEMD_ANALYZE ?? '/usr/bin/systemd-analyze')
/** Of 10, the most exposed; systemd calls this "OK". */
const MOST_EXPOSED = '20'

const OURS = ['madang.service', 'madang-gateway@1.service', 'madang-engine@1.service', 'madang-media@1.service']
const ALL = [...OURS, 'nats-server.service']

/** A system on which they are installed as docs/operations.md says. */
let root = ''
const put = (path: string, from?: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  if (from === undefined) writeFileSync(join(root, path), '#!/bin/sh\n', { mode: 0o755 })
  else cpSync(from, join(root, path), { recursive: true })
}
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'madang-systemd-'))
  if (existsSync('/usr/lib/systemd/system')) put('usr/lib/systemd/system', '/usr/lib/systemd/system')
  for (const unit of ['madang.service', 'madang-gateway@.service', 'madang-engine@.service', 'madang-media@.service'])
    put(`etc/systemd/system/${unit}`, join(UNITS, unit))
  put('etc/systemd/system/nats-server.service', join(UNITS, 'nats-server.service'))
  for (const units of ['madang', 'madang-'])
    put(`etc/systemd/system/${units}.service.d/hardening.conf`, join(UNITS, 'hardening.conf'))
  for (const program of ['opt/madang/node_modules/.bin/node', 'usr/local/bin/nats-server', 'bin/kill']) put(program)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const analyze = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(ANALYZE ?? '', [`--root=${root}`, ...args], { encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

const read = (file: string) => readFileSync(join(UNITS, file), 'utf8')
const environmentOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/^(?:Environment=)?((?:MADANG|NATS)_[A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  )

describe.skipIf(ANALYZE === null)('systemd', () => {
  test.each(ALL)('understands all of %s', (unit) => {
    expect(analyze('verify', '--man=no', unit)).toEqual({ status: 0, said: '' })
  })

  test.each(ALL)('finds little that %s could do to others', (unit) => {
    const { status, said } = analyze('security', '--offline=true', `--threshold=${MOST_EXPOSED}`, '--no-pager', unit)
    expect(status, said).toBe(0)
  })

  test('a unit that is wrong is found', () => {
    const file = join(root, 'etc/systemd/system/wrong.service')
    writeFileSync(file, `${read('madang.service')}\n[Service]\nProtectSytem=strict\n`)
    expect(analyze('verify', '--man=no', 'wrong.service').said).toContain('ProtectSytem')
    rmSync(file)
    expect(analyze('security', '--offline=true', '--threshold=5', '--no-pager', 'madang.service').status).not.toBe(0)
  })
})

test('Madang has longer to end than it takes, and starts again by itself', () => {
  for (const unit of ['madang.service', 'madang-gateway@.service', 'madang-engine@.service', 'madang-media@.service']) {
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(read(unit))?.[1]), unit).toBeGreaterThan(10)
    expect(read(unit)).toMatch(/^Restart=on-failure$/m)
  }
})

const cluster = environmentOf(read('cluster.env.example'))
/** `gateway-1.env   MADANG_PORT=3000  …`, as the example says it in a comment. */
const ownOf = (role: string) => {
  const line = new RegExp(`^#   ${role}-1\\.env\\s+(.*)$`, 'm').exec(read('cluster.env.example'))?.[1] ?? ''
  return Object.fromEntries(line.split(/\s+/).map((pair) => pair.split('=') as [string, string]))
}

test('`madang start` takes the environment of madang.service', () => {
  const unit = environmentOf(read('madang.service'))
  const config = expectStarts({ ...unit, ...environmentOf(read('madang.env.example')) })
  expect(config).toMatchObject({ durability: 'sqlite-full', data: '/var/lib/madang' })
})

test.each(['gateway', 'engine', 'media'])('`madang start` takes the environment of madang-%s@1', (role) => {
  const unit = environmentOf(read(`madang-${role}@.service`))
  const config = expectStarts({ ...unit, ...cluster, ...ownOf(role) })
  expect(config).toMatchObject({ roles: [role], durability: 'jetstream-r3' })
})

test('from other machines one reaches a gateway, and a media node', () => {
  expect(isLoopback(expectStarts({ ...cluster, ...ownOf('gateway') }).host)).toBe(false)
  expect(isLoopback(expectStarts({ ...cluster, ...ownOf('media') }).mediaIp)).toBe(false)
})

test('the environment of nats-server names a file that is there, and has all that it asks for', () => {
  const given = environmentOf(read('nats.env.example'))
  const folder = join(UNITS, '..', 'nats')
  const config = given.NATS_CONFIG ?? ''
  for (const file of [config, 'common.conf', 'users.conf'])
    for (const [, variable = ''] of readFileSync(join(folder, file), 'utf8').matchAll(/: \$([A-Z_]+)/g))
      expect(Object.keys(given), file).toContain(variable)
})

test.skipIf(ANALYZE === null)('systemd makes the users that they run as', () => {
  mkdirSync(join(root, 'etc'), { recursive: true })
  // Beside the other one.
  execFileSync(join(dirname(ANALYZE ?? ''), 'systemd-sysusers'), [
    `--root=${root}`,
    join(UNITS, 'madang.sysusers.conf'),
  ])
  const users = readFileSync(join(root, 'etc/passwd'), 'utf8')
  for (const unit of ['nats-server.service', 'hardening.conf'])
    expect(users).toMatch(new RegExp(`^${/^User=(\w+)$/m.exec(read(unit))?.[1]}:`, 'm'))
})
