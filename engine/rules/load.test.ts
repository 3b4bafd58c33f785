import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { evaluateGame, GameFileError, loadGame, loadGames } from './load.ts'

const ROOT = join(import.meta.dirname, '../..')
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'madang-load-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const put = (path: string, text: string): string => {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
  return dirname(join(home, path))
}
/** A small game; `more` is put where the move is taken. */
const game = (id = 'tiny', more = ''): string => `
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { defineGame, gameType, now } from 'madang/rules'
const g = gameType<{ n: number }>()({
  id: '${id}', version: 1, title: 'Tiny', players: [1, 2], moves: { add: z.object({ n: z.number() }) },
})
const machine = setup({ types: g.types }).createMachine({
  context: { n: 0 },
  on: { add: { actions: assign(({ event }) => { ${more}; return { n: event.payload.n } }) } },
})
export default defineGame(g, machine, { everyone: (s) => ({ n: s.context.n }) })
`
const add = async (dir: string) => {
  const { runner } = await loadGame(dir)
  const { state } = runner.start({ players: ['ann'], options: {}, at: 1, seed: 1 })
  return runner.step(state, { type: 'add', by: 'ann', payload: { n: 4 }, at: 5, seed: 2 })?.state
}
const refusal = async (loading: Promise<unknown>): Promise<string> => {
  const error: unknown = await loading.then(() => null).catch((thrown: unknown) => thrown)
  if (!(error instanceof GameFileError)) throw new Error(`not refused: ${String(error)}`, { cause: error })
  expect(error.message).not.toContain('\n')
  return error.message
}

describe('loading games', () => {
  it('loads the games of this checkout, each with the hash of its source', async () => {
    const games = await loadGames([join(ROOT, 'games'), join(ROOT, 'loadtest/games/bench')])
    const ids = games.map(({ runner }) => runner.id)
    expect(ids).toEqual(expect.arrayContaining(['tictactoe', 'bench']))
    expect(ids.at(-1)).toBe('bench')
    for (const { hash } of games) expect(hash).toMatch(/^[0-9a-f]{32}$/)
    expect(new Set(games.map(({ hash }) => hash)).size).toBe(games.length)
  })

  it.each(['when', 'change'])('refuses g.%s of a move that the game does not have', async (part) => {
    const dir = put(
      'tiny/rules.ts',
      game().replace('const machine', `g.${part}('ad', () => ({ n: 1 }))\nconst machine`),
    )
    expect(await refusal(loadGame(dir))).toContain(
      `g.${part}('ad', …): "ad" is no move and no event of the room: the moves are add`,
    )
    const known = game().replace('const machine', `g.${part}('player.left', () => ({ n: 1 }))\nconst machine`)
    expect(await add(put('known/rules.ts', known))).toBeDefined()
  })

  it('loads a game outside the checkout, with its own files, zod and xstate from ours', async () => {
    put('cards/deck.ts', 'export const offset: number = 38')
    const dir = put(
      'cards/rules.ts',
      `import { offset } from './deck.ts'\n${game('cards', 'return { n: event.payload.n + offset }')}`,
    )
    expect((await add(dir))?.snapshot).toMatchObject({ context: { n: 42 } })
  })

  it('gives the same source and hash wherever the folder lies, without a path in it', async () => {
    const near = await loadGame(put('tiny/rules.ts', game()))
    const far = await loadGame(put('some/where/else/tiny/rules.ts', game()))
    expect(far.source).toBe(near.source)
    expect(far.hash).toBe(near.hash)
    for (const path of [home, ROOT, '../', 'node_modules']) expect(near.source).not.toContain(path)
    const changed = await loadGame(put('other/tiny/rules.ts', game('tiny', 'void 0')))
    expect(changed.hash).not.toBe(near.hash)
  })

  it('gives the same source for packages beside the game, CommonJS ones too, and folders with spaces', async () => {
    const sources = ['my games', 'deep/down'].map(async (folder) => {
      put(`${folder}/node_modules/old/index.js`, 'module.exports = { offset: 38 }')
      const text = `import old from 'old'\n${game('tiny', 'return { n: event.payload.n + old.offset }')}`
      const dir = put(`${folder}/tiny/rules.ts`, text)
      expect((await add(dir))?.snapshot).toMatchObject({ context: { n: 42 } })
      return (await loadGame(dir)).source
    })
    const [one, other] = await Promise.all(sources)
    expect(one).toBe(other)
    expect(one).toContain('"old/index.js"(exports')
    expect(one).not.toContain('node_modules')
  })

  it('takes the rules API by its path in the checkout as the same module', async () => {
    const byName = await loadGame(put('a/rules.ts', game()))
    const byPath = await loadGame(
      put('b/rules.ts', game().replace('madang/rules', join(ROOT, 'engine/rules/rules.ts'))),
    )
    expect(byPath.source).toBe(byName.source)
  })

  it('runs a kept source again, to the same hash', async () => {
    const loaded = await loadGame(put('tiny/rules.ts', game()))
    expect(evaluateGame(loaded.source, 'tiny')).toMatchObject({ hash: loaded.hash, runner: { id: 'tiny', version: 1 } })
  })

  it.each([
    ['Date.now()', 'use now()'],
    ['new Date()', 'use now()'],
    ['Date()', 'use now()'],
    ['globalThis.Date.now()', 'use now()'],
    ['performance.now()', 'use now()'],
    ['setTimeout(() => {}, 5)', "XState's `after`"],
    ['queueMicrotask(() => {})', "XState's `after`"],
    ['Math.random()', 'use random()'],
    ['crypto.randomUUID()', 'use random()'],
    ["fetch('http://localhost')", 'put what they need into a move'],
    ['process.exit()', 'put what they need into a move'],
  ])('refuses %s in rules, and says what to use instead', async (call, instead) => {
    const dir = put('tiny/rules.ts', game('tiny', call))
    await expect(add(dir)).rejects.toThrow(/^tiny: an action of the machine threw at state/)
    await expect(add(dir)).rejects.toThrow(instead)
  })

  it.each(['new Date(0).getTime()', 'Math.max(1, 2)', 'now()', 'Date.UTC(2024, 1)', 'globalThis.Math.PI'])(
    'allows %s',
    async (call) => {
      expect(await add(put('tiny/rules.ts', game('tiny', call)))).toBeDefined()
    },
  )

  it.each([
    ['no rules.ts', () => loadGame(home), 'there is no rules.ts'],
    ['no such folder', () => loadGames([join(home, 'nowhere')]), 'nowhere: there is no such folder'],
    ['no game in a folder', () => loadGames([put('games/readme.md', '')]), 'there is no game in this folder'],
    ['no defineGame', () => loadGame(put('a/rules.ts', 'export default {}')), 'export default defineGame'],
    ['no default export', () => loadGame(put('a/rules.ts', 'export const a = 1')), 'export default defineGame'],
    ['a syntax error', () => loadGame(put('a/rules.ts', 'const a = 1\nconst = 2')), 'rules.ts:2:'],
    ['a package that is not there', () => loadGame(put('a/rules.ts', "import 'no-such'")), 'no-such'],
    ['an import of Node', () => loadGame(put('a/rules.ts', "import 'node:fs'")), 'may not import "node:fs"'],
    ['an import of Node, bare', () => loadGame(put('a/rules.ts', "import 'fs'")), 'may not import "fs"'],
    ['the engine', () => loadGame(put('a/rules.ts', "import 'madang/engine'")), 'may not import "madang/engine"'],
    ['a throw', () => loadGame(put('a/rules.ts', "throw new Error('oh')")), 'oh'],
    ['Date.now at load', () => loadGame(put('a/rules.ts', 'export const t = Date.now()')), 'use now()'],
    ['a wrong definition', () => loadGame(put('a/rules.ts', game('No Id'))), 'id must be'],
  ])('refuses %s in one line', async (_, load, line) => {
    expect(await refusal(load())).toContain(line)
  })

  it('refuses the inside of the engine, which would run twice', async () => {
    const inside = join(ROOT, 'engine/rules/chance.ts')
    expect(await refusal(loadGame(put('a/rules.ts', `import '${inside}'`)))).toContain('may not import')
  })

  it('refuses two games of one id, naming both folders', async () => {
    const [one, two] = [put('one/rules.ts', game()), put('two/rules.ts', game())]
    const line = await refusal(loadGames([home]))
    for (const part of ['"tiny"', one, two]) expect(line).toContain(part)
    expect(await loadGames([one, home.concat('/one')])).toHaveLength(1)
  })
})
