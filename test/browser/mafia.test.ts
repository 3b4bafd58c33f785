import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Program, startMadang, temporaryFolder } from '../program.ts'
import { launchChromium, meOf, visit } from './chromium.ts'

let browser: Browser
let data: ReturnType<typeof temporaryFolder>
let program: Program

beforeAll(async () => {
  data = temporaryFolder()
  browser = await launchChromium()
  program = await startMadang(['--data', data.path])
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await program?.kill()
  data[Symbol.dispose]()
})

const phaseIs = (page: Page, phase: string): Promise<void> => page.locator(`.mafia[data-phase="${phase}"]`).waitFor()
const voteAgainst = (page: Page, player: string | undefined): Promise<void> =>
  page.locator(`[data-player-id="${player}"]`).getByRole('button').click()

test('P4: five people play mafia by clicking; by night only the mafia can vote, and no page shows whose role is not its own', async () => {
  const names = ['Ann', 'Bob', 'Cho', 'Dan', 'Eva']
  const visitors = await Promise.all(names.map(() => visit(browser, program.url)))
  const pages = visitors.map(({ page }) => page)
  const [ann, ...others] = pages
  if (ann === undefined) throw new Error('nobody came')
  await ann.goto(program.url)
  await ann.getByLabel('Your name').fill('Ann')
  await ann.getByRole('button', { name: 'Open a room: Mafia' }).click()
  await ann.getByLabel('A night lasts (seconds)').fill('600')
  await ann.getByLabel('A day lasts (seconds)').fill('600')
  await ann.getByRole('button', { name: 'Open the room' }).click()
  await ann.getByRole('status').getByText('4 more players are needed.').waitFor()
  const link = ann.url()
  for (const [index, page] of others.entries()) await page.goto(`${link}?name=${names[index + 1]}`)
  await ann.getByRole('status').getByText('You can start, or wait for up to 7 more.').waitFor()
  await ann.getByRole('button', { name: 'Start the game' }).click()

  for (const page of pages) await phaseIs(page, 'night')
  await ann.setViewportSize({ width: 360, height: 740 })
  expect(await ann.evaluate(() => document.documentElement.scrollWidth), 'a phone needs no sideways scrolling').toBe(
    360,
  )
  const voters = await Promise.all(pages.map((page) => page.getByRole('button', { name: /^Vote against/ }).count()))
  const mafia = pages[voters.findIndex((count) => count > 0)]
  const town = pages.filter((page) => page !== mafia)
  if (mafia === undefined) throw new Error('nobody is mafia')
  expect(voters.toSorted(), 'one of five is mafia, and may vote against the other four').toEqual([0, 0, 0, 0, 4])
  await mafia.getByText('You are mafia.').waitFor()
  for (const page of town) {
    await page.getByText('You are a citizen.').waitFor()
    expect(await page.locator('[data-role="mafia"]').count()).toBe(0)
  }

  const [victim, ...living] = town
  await voteAgainst(mafia, victim && (await meOf(victim)))
  for (const page of pages) await phaseIs(page, 'day')
  await victim?.getByRole('status').getByText('You are out. You can watch.').waitFor()
  expect(await victim?.getByRole('button', { name: /^Vote against/ }).count()).toBe(0)
  const guilty = await meOf(mafia)
  for (const page of living) await voteAgainst(page, guilty)
  await voteAgainst(mafia, await meOf(mafia))
  for (const page of town) await page.getByRole('status').getByText('The citizens won. You won!').waitFor()
  await mafia.getByRole('status').getByText('The citizens won. You lost.').waitFor()
  expect(visitors.flatMap(({ trouble }) => trouble)).toEqual([])
})
