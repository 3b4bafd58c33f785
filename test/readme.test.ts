import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startMadang, temporaryFolder, until } from './program.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const blocks = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code]) => code ?? '',
)
const [rules = '', app = ''] = blocks

// Inside the checkout, so that `madang/rules` and the packages are found as in a project that depends on Madang.
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(ROOT, 'test', 'readme-'))
  mkdirSync(join(folder, 'my-games', 'race'), { recursive: true })
  writeFileSync(join(folder, 'my-games', 'race', 'rules.ts'), rules)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("the README's game and SDK example compile under the strictest settings", () => {
  writeFileSync(join(folder, 'app.ts'), app)
  const config = { extends: '../../tsconfig.json', include: ['.'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const { stdout, status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})

test("the README's game runs as the README says, from the SDK example", async () => {
  using data = temporaryFolder()
  const games = `${join(folder, 'my-games')},games`
  const program = await startMadang(['--data', data.path, '--games', games])
  const { connect } = await import('../client/client.ts')
  const ann = connect({ url: program.url, guest: 'Ann' })
  const bob = connect({ url: program.url, guest: 'Bob' })
  const room = await ann.join(await ann.create('race'))
  const other = await bob.join(room.id)
  await room.start()
  while (room.document.room.phase !== 'over') {
    const seq = await room.move.roll?.({})
    expect(room.seq).toBe(seq)
  }
  await until(() => other.document.room.phase === 'over', 'the end in the other window')
  expect(other.document).toEqual(room.document)
  ann.close()
  bob.close()
  await program.kill('SIGTERM')
})
