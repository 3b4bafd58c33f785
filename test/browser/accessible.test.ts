import { expect, test } from 'vitest'
import { violations } from './axe.ts'
import { MORE_CHARADES } from './charades-scenes.ts'
import { type Look, SCENES, type Scene, Stage } from './scenes.ts'

const WIDTHS = [390, 1280]

const stage = await Stage.ofThisFile()

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

test.each([...SCENES, ...MORE_CHARADES, ...STATES])(
  'axe finds nothing wrong with $name, at both widths, by day and by night',
  async ({ open }) => {
    const found: string[] = []
    for (const width of WIDTHS) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const locale = colorScheme === 'light' ? 'ko-KR' : 'en-US'
        const look: Look = { viewport: { width, height: 800 }, colorScheme, locale, bypassCSP: true }
        const page = await open(stage, look)
        for (const violation of await violations(page)) found.push(`${width} ${colorScheme} ${violation}`)
        expect(await page.evaluate(() => document.documentElement.scrollWidth), 'no sideways scrolling').toBe(width)
        await page.context().close()
      }
    }
    expect(found).toEqual([])
  },
  180_000,
)
