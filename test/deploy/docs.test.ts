import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startNats } from '../nats-server.ts'
import { freePort } from '../ports.ts'
import { startMadang } from '../program.ts'
import { expectStarts, imageEnvironment, variables } from './flags.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const operations = read('docs/operations.md')

test.each(['docs/durability.md', 'docs/cluster.md'])(
  'the tests that %s rests on are there under those names',
  (page) => {
    const named = [...read(page).matchAll(/`([\w/.-]+\.test\.ts)`: “([^”]+(?:’[^”]*)*)”/g)]
    expect(named.length).toBeGreaterThan(12)
    for (const [, file = '', title = ''] of named) expect(read(file)).toContain(title)
  },
)

test('the metrics that docs/operations.md watches are there', async () => {
  await using nats = await startNats()
  const port = await freePort()
  const program = await startMadang(['--nats', nats.url, '--media-port', '0', '--admin-port', String(port)])
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const named = new Set(operations.match(/\b(?:madang|nodejs|process)_[a-z0-9_]+\b/g))
  expect(named.size).toBeGreaterThan(12)
  for (const name of named) expect(metrics).toContain(`# TYPE ${name} `)
  await program.kill('SIGTERM')
})

test('the variables and the image of docs/operations.md are those of `madang start`', () => {
  for (const [name] of operations.matchAll(/\bMADANG_[A-Z_]+/g))
    if (!/_FILE$|PUBLIC/.test(name)) expect(variables()).toContain(name)
  const run = /docker run ((?:.*\\\n)*.*)/.exec(operations)?.[1] ?? ''
  const given = [...run.matchAll(/-e (MADANG_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])
  const config = expectStarts({ ...imageEnvironment(read('deploy/Dockerfile')), ...Object.fromEntries(given) })
  for (const port of [`${config.port}:${config.port}`, `${config.mediaPort}:${config.mediaPort}/udp`])
    expect(run).toContain(`-p ${port}`)
  expect(config.mediaWorkers).toBe(1)
})

test('what docs/operations.md quotes of the log is said somewhere', () => {
  const folders = ['cli', 'bus', 'engine', 'gateway', 'media']
  const sources = folders
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !file.includes('.test.'))
        .map((file) => read(join(folder, file))),
    )
    .join('\n')
  const troubles = operations.slice(operations.indexOf('## Troubles'))
  const quoted = [...troubles.matchAll(/^\| `([^`]+)`/gm)].flatMap(([, line = '']) => line.split('…'))
  const phrases = quoted.map((phrase) => phrase.replace(/\b[13]\b/g, '').trim()).filter((phrase) => phrase.length > 6)
  expect(phrases.length).toBeGreaterThan(10)
  for (const phrase of phrases) for (const part of phrase.split(/\s{2,}/)) expect(sources).toContain(part)
})
