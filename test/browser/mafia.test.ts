import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { boardWords } from '../../games/mafia/board-words.ts'
import { meOf, visit } from './chromium.ts'
import { programAndBrowser } from './program.ts'

const { browser, program } = await programAndBrowser()

/** One of the town, with the words that the page speaks. */
interface Townsperson {
  readonly page: Page
  readonly words: typeof boardWords.en
  readonly name: string
}

const phaseIs = (page: Page, phase: string): Promise<void> => page.locator(`.mafia[data-phase="${phase}"]`).waitFor()
const voteAgainst = (page: Page, player: string | undefined): Promise<void> =>
  page.locator(`.people [data-player-id="${player}"]`).getByRole('button').click()
const voteButtons = (page: Page): Promise<number> => page.locator('.people .vote').count()
const says = ({ page }: Townsperson, text: string): Promise<void> => page.getByRole('status').getByText(text).waitFor()
/** Resolves once the page itself is dimmed. */
const isNight = (page: Page): Promise<void> => page.locator('html[data-night]').waitFor()

/** Writes into the field of the list of what happened. */
const write = async (page: Page, text: string): Promise<void> => {
  await page.locator('.composer-text').fill(text)
  await page.locator('.composer-text').press('Enter')
}

const reads = (page: Page, text: string): Promise<void> => page.locator('.lines').getByText(text).waitFor()

test('P4: five people play mafia by clicking, in two languages; by night only the mafia votes and whispers, and no page shows what is not its own', async () => {
  const names = ['Ann', '보라', 'Cho', '도윤', 'Eva']
  const visitors = await Promise.all(
    names.map((_, index) => visit(browser, program.url, index % 2 === 0 ? 'en-US' : 'ko-KR')),
  )
  const people = visitors.map(
    ({ page }, index): Townsperson => ({
      page,
      words: index % 2 === 0 ? boardWords.en : boardWords.ko,
      name: names[index] ?? '',
    }),
  )
  const [ann, ...others] = people
  if (ann === undefined) throw new Error('nobody came')
  await ann.page.goto(program.url)
  await ann.page.getByLabel('Your name').fill('Ann')
  await ann.page.getByRole('button', { name: 'Open a room: Mafia' }).click()
  await ann.page.getByLabel('A night lasts (seconds)').fill('600')
  await ann.page.getByLabel('A day lasts (seconds)').fill('600')
  await ann.page.getByRole('button', { name: 'Open the room' }).click()
  await says(ann, '4 more players are needed.')
  const link = ann.page.url()
  for (const { page, name } of others) await page.goto(`${link}?name=${encodeURIComponent(name)}`)
  const [bora] = others
  await bora?.page.getByRole('status').getByText('Ann 님이 시작해요.').waitFor()
  await says(ann, 'You can start, or wait for up to 7 more.')
  await ann.page.getByRole('button', { name: 'Start the game' }).click()

  for (const { page } of people) await phaseIs(page, 'night')
  for (const { page } of people) await isNight(page)
  await ann.page.setViewportSize({ width: 360, height: 740 })
  expect(
    await ann.page.evaluate(() => document.documentElement.scrollWidth),
    'a phone needs no sideways scrolling',
  ).toBe(360)
  await ann.page.setViewportSize({ width: 1280, height: 720 })
  const voters = await Promise.all(people.map(({ page }) => voteButtons(page)))
  const mafia = people[voters.findIndex((count) => count > 0)]
  const town = people.filter((person) => person !== mafia)
  if (mafia === undefined) throw new Error('nobody is mafia')
  expect(voters.toSorted(), 'one of five is mafia, and may vote against the other four').toEqual([0, 0, 0, 0, 4])
  await mafia.page.getByText(mafia.words.role.mafia).waitFor()
  for (const { page, words } of town) {
    await page.getByText(words.role.citizen).waitFor()
    expect(await page.locator('[data-role="mafia"]').count()).toBe(0)
    expect(await page.locator('.composer').count(), 'the town is silent by night').toBe(0)
  }
  await write(mafia.page, 'a whisper')
  await reads(mafia.page, 'a whisper')

  const [victim, ...living] = town
  if (victim === undefined) throw new Error('nobody lives here')
  await voteAgainst(mafia.page, await meOf(victim.page))
  for (const { page } of people) await phaseIs(page, 'day')
  await ann.page.locator('html:not([data-night])').waitFor()
  await says(victim, victim.words.youAreOut)
  for (const person of people) await reads(person.page, person.words.died.citizen(victim.name))
  expect(await voteButtons(victim.page)).toBe(0)
  await write(mafia.page, 'good morning')
  await write(victim.page, 'it was them')
  for (const { page } of people) await reads(page, 'good morning')
  for (const { page } of living) {
    expect(await page.getByText('a whisper').count(), 'what the mafia said by night').toBe(0)
    expect(await page.getByText('it was them').count(), 'what the dead say').toBe(0)
  }

  const guilty = await meOf(mafia.page)
  for (const { page } of living) await voteAgainst(page, guilty)
  await living[0]?.page.locator(`[data-player-id="${guilty}"] .mafia-votes b`).getByText('3').waitFor()
  await voteAgainst(mafia.page, guilty)
  for (const person of town) await says(person, `${person.words.won.citizen} ${person.words.youWon}`)
  await says(mafia, `${mafia.words.won.citizen} ${mafia.words.youLost}`)
  expect(visitors.flatMap(({ trouble }) => trouble)).toEqual([])
}, 240_000)
