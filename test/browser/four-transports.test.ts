import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { until } from '../program.ts'
import { violations } from './axe.ts'
import { visit } from './chromium.ts'
import { programAndBrowser } from './program.ts'

const { browser, program } = await programAndBrowser()

const TRANSPORTS = ['websocket', 'sse', 'longpoll', 'poll']
const LABELS = ['WebSocket', 'Server-sent events', 'Long polling', 'Polling']
const card = (page: Page, transport: string) => page.locator(`[data-transport="${transport}"].transport`)
const figure = async (page: Page, transport: string, name: string): Promise<string> =>
  (await card(page, transport).locator(`[data-figure="${name}"] b`).textContent()) ?? ''

test('/transports shows a live room over all four transports, and the seat goes on over each of them', async () => {
  const { page, trouble } = await visit(browser, program.url)
  await page.goto(program.url)
  await page.getByRole('link', { name: /four transports/ }).click()
  await page.getByRole('button', { name: 'Let the table play' }).click()
  for (const transport of TRANSPORTS)
    await until(async () => /ms$/.test(await figure(page, transport, 'latency')), `a move to be seen over ${transport}`)

  for (const [at, label] of LABELS.entries()) {
    await page.getByRole('radio', { name: label, exact: true }).check()
    await page.getByRole('status').getByText(`You are connected by ${label}.`).waitFor()
    await page.locator(`[data-transport="${TRANSPORTS[at]}"][data-mine="true"]`).waitFor()
    const room = page.locator('.transports-seat .ttt')
    const marks = await room.locator('[data-by]').count()
    await until(async () => (await room.locator('[data-by]').count()) !== marks, `a move over ${label}`)
  }

  expect(await figure(page, 'websocket', 'requests')).toBe('1')
  await until(async () => Number(await figure(page, 'poll', 'requests')) > 10, 'polling to ask again and again')
  for (const [transport, asked, answered] of [
    ['websocket', '/v1/ws', '101'],
    ['sse', 'GET /v1/sse?room=', 'text/event-stream'],
    ['longpoll', 'GET /v1/poll?room=', '200'],
    ['poll', 'GET /v1/poll?room=', '200'],
  ] as const) {
    await card(page, transport).getByText('The handshake').click()
    const handshake = await card(page, transport).locator('pre').textContent()
    expect(handshake).toContain(asked)
    expect(handshake).toContain(answered)
    expect(handshake, 'a token is nobody else’s to read').not.toMatch(/Bearer \S{12}/)
    await card(page, transport).getByText('PATCH').first().waitFor()
  }
  expect(trouble).toEqual([])
}, 180_000)

test('/transports goes from game to game, and leaves the rooms behind: polling stays at a request a second', async () => {
  const { page } = await visit(browser, program.url)
  await page.goto(`${program.url}/transports`)
  await page.getByRole('button', { name: 'Let the table play' }).click()
  const marks = page.locator('.transports-seat .ttt [data-by]')
  /** The next game on the board: how often polling has asked by then, and when it was, s. */
  const nextGame = async (): Promise<{ asked: number; at: number }> => {
    await until(async () => (await marks.count()) > 4, 'a game to be played', 60_000)
    await until(async () => (await marks.count()) < 2, 'the next game', 60_000)
    return { asked: Number(await figure(page, 'poll', 'requests')), at: performance.now() / 1_000 }
  }
  await nextGame()
  const [second, third] = [await nextGame(), await nextGame()]
  expect((third.asked - second.asked) / (third.at - second.at)).toBeLessThan(1.7)
  expect(await page.locator('.transport [role="alert"]').count()).toBe(0)
}, 240_000)

test('/transports is clean by axe at both widths, by day and by night, in both languages', async () => {
  const found: string[] = []
  for (const width of [390, 1280])
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({
        viewport: { width, height: 800 },
        colorScheme,
        locale: colorScheme === 'light' ? 'ko-KR' : 'en-US',
        bypassCSP: true,
        reducedMotion: 'reduce',
      })
      const page = await context.newPage()
      await page.goto(`${program.url}/transports`)
      await page.locator('.transports-seat .primary').waitFor()
      await card(page, 'sse').locator('.transport-lines li').first().waitFor()
      for (const violation of await violations(page)) found.push(`${width} ${colorScheme} ${violation}`)
      for (const handshake of await page.locator('.transport details:first-of-type > summary').all())
        await handshake.click()
      await page.locator('.transport pre').last().waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth), 'no sideways scrolling').toBe(width)
      await context.close()
    }
  expect(found).toEqual([])
})
