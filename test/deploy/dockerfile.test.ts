import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectStarts, imageEnvironment, SECRET } from './flags.ts'
import { DEPLOY, PARSERS, runParser } from './parsers.ts'

const dockerfile = readFileSync(join(DEPLOY, 'Dockerfile'), 'utf8')
const ignore = readFileSync(join(DEPLOY, 'Dockerfile.dockerignore'), 'utf8')

test.skipIf(PARSERS === null)('hadolint reads the Dockerfile and has nothing to say', () => {
  expect(runParser('hadolint', ['--failure-threshold', 'style', 'Dockerfile'])).toBe('')
})

test('the image runs everything by itself, given a token for its admin port', () => {
  const config = expectStarts({ ...imageEnvironment(dockerfile), MADANG_ADMIN_TOKEN: SECRET })
  expect(config).toMatchObject({ roles: ['gateway', 'engine', 'media'], host: '0.0.0.0', data: '/var/lib/madang' })
  expect(dockerfile).toContain(
    `EXPOSE ${config.port} ${config.adminPort} ${config.mediaPort}/udp ${config.mediaPort}/tcp`,
  )
  expect(dockerfile).toContain(`http://127.0.0.1:${config.adminPort}/readyz`)
})

test('the image is not root', () => {
  expect(dockerfile.slice(dockerfile.lastIndexOf('FROM '))).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m)
})

test('what the sources import is in the image, and no data of the checkout', () => {
  const tracked = execFileSync('git', ['ls-files'], { cwd: join(DEPLOY, '..'), encoding: 'utf8' }).split('\n')
  const folders = new Set(tracked.filter((file) => /\.(ts|tsx|mjs)$/.test(file)).map((file) => file.split('/')[0]))
  for (const outside of ['test', 'loadtest', 'deploy', 'vitest.config.ts']) folders.delete(outside)
  const taken = [...ignore.matchAll(/^!(\S+)$/gm)].map(([, name]) => name)
  expect(taken).toEqual(expect.arrayContaining([...folders]))
  expect(taken).not.toContain('data')
})
