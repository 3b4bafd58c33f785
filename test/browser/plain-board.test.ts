import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { temporaryFolder } from '../program.ts'
import { visit } from './chromium.ts'
import { openRoom } from './play.ts'
import { programAndBrowser } from './program.ts'

const RULES = `
import { setup } from 'xstate'
import { z } from 'zod'
import { defineGame, gameType } from 'madang/rules'

const g = gameType<{ steps: Readonly<Record<string, number>>; said: readonly string[] }>()({
  id: 'walk',
  version: 1,
  title: 'Walk',
  players: [2, 2],
  autoStart: true,
  moves: { go: z.object({ steps: z.int().min(1).max(9) }), say: z.object({ words: z.array(z.string()) }) },
})
const machine = setup({
  types: g.types,
  actions: {
    go: g.change('go', ({ context, by, payload }) => ({ steps: { ...context.steps, [by]: (context.steps[by] ?? 0) + payload.steps } })),
    say: g.change('say', ({ payload }) => ({ said: payload.words })),
  },
}).createMachine({
  context: ({ input }) => ({ steps: Object.fromEntries(input.players.map((p) => [p, 0])), said: [] }),
  on: { go: { actions: 'go' }, say: { actions: 'say' } },
})
export default defineGame(g, machine, { everyone: ({ context }) => ({ steps: context.steps, said: context.said }) })
`

const games = temporaryFolder()
afterAll(() => games[Symbol.dispose]())
mkdirSync(join(games.path, 'walk'))
writeFileSync(join(games.path, 'walk', 'rules.ts'), RULES)
const { browser, program } = await programAndBrowser('--games', games.path)

const shows = (page: Page, name: string, value: string): Promise<void> =>
  page
    .locator('.plain-fields > div', { has: page.locator(`dt:text-is("${name}")`) })
    .locator('dd', { hasText: value })
    .last()
    .waitFor()

test('a game without a board of its own is played through what its rules show and a form for each move', async () => {
  const { page: ann, trouble } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  const link = await openRoom(ann, program.url, 'Ann', 'Walk')
  await bob.goto(`${link}?name=Bob`)
  const go = ann.getByRole('form', { name: 'go' })
  await go.getByLabel('steps').fill('4')
  await go.getByRole('button', { name: 'Play go' }).click()
  await shows(ann, 'you', '4')
  await shows(bob, 'Ann', '4')

  const say = bob.getByRole('form', { name: 'say' })
  await say.getByLabel('As JSON').fill('{"words": [')
  await say.getByRole('button', { name: 'Play say' }).click()
  await say.getByText('This is not JSON.').waitFor()
  await say.getByLabel('As JSON').fill('{"words": ["good", "day"]}')
  await say.getByRole('button', { name: 'Play say' }).click()
  await ann.locator('.plain-list li', { hasText: 'day' }).waitFor()

  await say.getByLabel('As JSON').fill('{"words": 1}')
  await say.getByRole('button', { name: 'Play say' }).click()
  await bob.getByRole('alert').getByText('words').waitFor()
  expect(trouble).toEqual([])
})
