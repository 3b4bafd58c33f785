import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Look, SCENES, type Scene, Stage } from './scenes.ts'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const WIDTHS = [390, 1280]
const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

let stage: Stage
beforeAll(async () => {
  stage = await Stage.open()
}, 60_000)
afterAll(() => stage?.end())

/** What axe finds wrong: the rule and where. */
const violations = async (page: Page): Promise<string[]> => {
  await page.evaluate(() => document.fonts.ready)
  const found = await page.evaluate(
    async (runOnly): Promise<AxeResults> => Reflect.get(window, 'axe').run({ runOnly }),
    STANDARDS,
  )
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('; ')}`,
  )
}

/** States of a page that no player has to bring about. */
const STATES: readonly Scene[] = [
  {
    name: 'lobby, opening a room, without a name',
    open: async (stage, look) => {
      const page = await stage.page('sora', '', look)
      await page.goto(stage.url)
      await page.locator('[data-game="mafia"] .button').nth(1).click()
      await page.locator('.new-room .primary').click()
      await page.getByRole('alert').first().waitFor()
      return page
    },
  },
  {
    name: 'the keys',
    open: async (stage, look) => {
      const page = await stage.page('sora', 'Sora', look)
      await page.goto(stage.url)
      await page.locator('.card').first().waitFor()
      await page.keyboard.press('?')
      await page.locator('dialog[open]').waitFor()
      return page
    },
  },
  {
    name: 'a name is asked for',
    open: async (stage, look) => {
      const page = await stage.page('sora', 'Sora', look)
      await page.addInitScript(() => sessionStorage.clear())
      await page.goto(`${stage.url}/play/anywhere`)
      await page.locator('.ask-name').waitFor()
      return page
    },
  },
  {
    name: 'no such room',
    open: async (stage, look) => {
      const page = await stage.page('sora', 'Sora', look)
      await page.goto(`${stage.url}/play/nowhere`)
      await page.locator('.notice').waitFor()
      return page
    },
  },
  {
    name: 'leaving',
    open: async (stage, look) => {
      const page = (await SCENES.find(({ name }) => name === 'tictactoe')?.open(stage, look)) ?? expect.fail()
      await page.locator('.bar-middle > .quiet').click()
      await page.locator('dialog[open]').waitFor()
      return page
    },
  },
  {
    name: 'talk, opened',
    open: async (stage, look) => {
      const page = (await SCENES.find(({ name }) => name === 'mafia-day')?.open(stage, look)) ?? expect.fail()
      await page.keyboard.press('t')
      await page.locator('.composer-text:focus').waitFor()
      return page
    },
  },
  {
    name: 'reconnecting',
    open: async (stage, look) => {
      const page = (await SCENES.find(({ name }) => name === 'tictactoe')?.open(stage, look)) ?? expect.fail()
      await page.context().setOffline(true)
      await page.locator('.connection span').waitFor()
      return page
    },
  },
]

test.each([...SCENES, ...STATES])(
  'axe finds nothing wrong with $name, at both widths, by day and by night',
  async ({ open }) => {
    const found: string[] = []
    for (const width of WIDTHS) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const locale = colorScheme === 'light' ? 'ko-KR' : 'en-US'
        const look: Look = { viewport: { width, height: 800 }, colorScheme, locale, bypassCSP: true }
        const page = await open(stage, look)
        await page.addScriptTag({ path: AXE })
        for (const violation of await violations(page)) found.push(`${width} ${colorScheme} ${violation}`)
        expect(await page.evaluate(() => document.documentElement.scrollWidth), 'no sideways scrolling').toBe(width)
        await page.context().close()
      }
    }
    expect(found).toEqual([])
  },
  120_000,
)
