import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { boardWords } from '../../games/charades/board-words.ts'
import { nextOf } from './charades-scenes.ts'
import { meOf, visit } from './chromium.ts'
import { overlaps } from './overlaps.ts'
import { Stage } from './scenes.ts'

const stage = await Stage.ofThisFile('--guests')
const { browser, program } = stage

/** One of those who play, with the words that the page speaks. */
interface Player {
  readonly page: Page
  readonly language: 'en' | 'ko'
  readonly name: string
}
type Parts = { readonly performer: Player; readonly guesser: Player; readonly rivals: readonly Player[] }

/** Long enough for what is done in a turn on a busy machine; nothing but its time ends one. */
const TURN_S = 35
/** For what comes when a turn is over. */
const AFTER_TURN = { timeout: (TURN_S + 20) * 1000 }

const phaseIs = (page: Page, phase: string): Promise<void> =>
  page.locator(`.charades[data-phase="${phase}"]`).waitFor(AFTER_TURN)
const turnIs = (page: Page, text: string): Promise<void> =>
  page.locator('.charades-scores').getByText(text).waitFor(AFTER_TURN)
const pointsAre = async (players: readonly Player[], sun: number, moon: number): Promise<void> => {
  for (const { page } of players) {
    await page.locator('[data-team="sun"] b').getByText(String(sun), { exact: true }).waitFor()
    await page.locator('[data-team="moon"] b').getByText(String(moon), { exact: true }).waitFor()
  }
}
const reads = ({ page }: Player, text: string): Promise<void> => page.locator('.lines').getByText(text).waitFor()

/** Who is what in this turn, as the pages show it. */
const partsOf = async (players: readonly Player[]): Promise<Parts> => {
  const parts = await Promise.all(
    players.map(async (player) => ({ player, part: await player.page.locator('.charades').getAttribute('data-part') })),
  )
  const having = (wanted: string) => parts.flatMap(({ player, part }) => (part === wanted ? [player] : []))
  const [[performer], [guesser], rivals] = [having('performer'), having('guesser'), having('rival')]
  if (performer === undefined || guesser === undefined) throw new Error('nobody performs, or nobody guesses')
  return { performer, guesser, rivals }
}

/** The word as this page shows it. */
const wordOn = async ({ page, language }: Player): Promise<{ en: string; ko: string }> => {
  const own = (await page.locator('.charades-word strong').textContent()) ?? ''
  const other = (await page.locator('.charades-word p span').textContent()) ?? ''
  return language === 'en' ? { en: own, ko: other } : { en: other, ko: own }
}
const wordChanges = ({ page, language }: Player, from: { en: string; ko: string }): Promise<unknown> =>
  page.waitForFunction(
    (word) => document.querySelector('.charades-word strong')?.textContent !== word,
    language === 'en' ? from.en : from.ko,
  )

const guess = async ({ page }: Player, text: string): Promise<void> => {
  await page.keyboard.type(text)
  await page.keyboard.press('Enter')
}

const write = async ({ page }: Player, text: string): Promise<void> => {
  await page.locator('.composer-text').fill(text)
  await page.locator('.composer-text').press('Enter')
}

test('four people play charades by clicking and typing, in two languages; who guesses is shown no word, and who knows it can tell nobody', async () => {
  const names = ['Ann', '보라', 'Cho', '도윤']
  const visitors = await Promise.all(
    names.map((_, index) => visit(browser, program.url, index % 2 === 0 ? 'en-US' : 'ko-KR')),
  )
  const players = visitors.map(
    ({ page }, index): Player => ({ page, language: index % 2 === 0 ? 'en' : 'ko', name: names[index] ?? '' }),
  )
  const [ann, ...others] = players
  if (ann === undefined) throw new Error('nobody came')
  await ann.page.goto(program.url)
  await ann.page.getByLabel('Your name').fill('Ann')
  await ann.page.getByRole('button', { name: 'Open a room: Charades' }).click()
  await ann.page.getByLabel('A turn lasts (seconds)').fill(String(TURN_S))
  await ann.page.getByLabel('Time to get ready (seconds)').fill('100')
  await ann.page.getByLabel('Turns for each team').fill('1')
  await ann.page.getByRole('button', { name: 'Open the room' }).click()
  await ann.page.getByText('3 more players are needed.').waitFor()
  for (const { page, name } of others) await page.goto(`${ann.page.url()}?name=${encodeURIComponent(name)}`)
  await ann.page.getByText('You can start, or wait for up to 8 more.').waitFor()
  await ann.page.getByRole('button', { name: 'Start the game' }).click()

  for (const { page } of players) await phaseIs(page, 'ready')
  const { performer, guesser, rivals } = await partsOf(players)
  expect(rivals).toHaveLength(2)
  const task = boardWords[guesser.language].task
  await guesser.page.getByRole('status').getByText(task.ready.guesser(performer.name)).waitFor()
  for (const { page } of [guesser, ...rivals]) expect(await page.locator('.charades-act').count()).toBe(0)
  const ownId = await meOf(performer.page)
  await guesser.page.locator(`[data-player-id="${ownId}"] [data-performs="true"]`).waitFor()
  await performer.page.getByRole('button', { name: boardWords[performer.language].begin, exact: true }).click()
  for (const { page } of players) await phaseIs(page, 'acting')

  const word = await wordOn(performer)
  for (const rival of rivals) expect(await wordOn(rival)).toEqual(word)
  expect(await guesser.page.locator('.charades-word').count()).toBe(0)
  expect(await guesser.page.locator('body').textContent()).not.toMatch(new RegExp(`\\b${word.en}\\b`))
  await guesser.page.getByText(boardWords[guesser.language].seenBy.others(performer.name, 'moon')).waitFor()
  await performer.page.getByText(boardWords[performer.language].seenBy.performer('moon')).waitFor()

  const field = guesser.page.locator('.charades-guess input')
  await guesser.page.locator('.charades-guess input:focus').waitFor()
  await guess(guesser, 'no such thing')
  for (const { page } of players) await page.locator('.charades-guesses').getByText('no such thing').waitFor()
  expect(await field.inputValue(), 'the next guess starts anew').toBe('')
  await guess(guesser, ` ${word.ko} !`)
  await pointsAre(players, 1, 0)
  await wordChanges(performer, word)
  await guesser.page.locator('.charades-guess input:focus').waitFor()
  for (const player of players)
    await reads(player, boardWords[player.language].guessed(guesser.name, word[player.language]))

  expect(await performer.page.locator('.composer').count(), 'who performs is silent').toBe(0)
  const [one, two] = rivals
  if (one === undefined || two === undefined) throw new Error('nobody watches')
  await write(one, 'they will never guess it')
  await reads(two, 'they will never guess it')
  const skipped = await wordOn(performer)
  await performer.page.getByRole('button', { name: boardWords[performer.language].skip }).click()
  await wordChanges(performer, skipped)
  for (const player of players) await reads(player, boardWords[player.language].skipped(skipped[player.language]))
  for (const { page } of [performer, guesser])
    expect(await page.getByText('they will never guess it').count(), 'what the other team says').toBe(0)
  await pointsAre(players, 1, 0)

  for (const player of players) await turnIs(player.page, boardWords[player.language].turn(2, 2))
  const second = await partsOf(players)
  expect([second.performer, second.guesser].every((player) => rivals.includes(player))).toBe(true)
  await guesser.page
    .locator('.charades-settled [data-outcome="skipped"]')
    .getByText(skipped[guesser.language])
    .waitFor()
  await second.performer.page.locator('.charades-act').focus()
  await second.performer.page.keyboard.press('Enter')
  await second.performer.page.locator('.charades-word:focus').waitFor()
  await second.guesser.page.locator('.charades-guess input:focus').waitFor()
  for (let points = 1; points <= 2; points++) {
    const next = await wordOn(second.performer)
    await guess(second.guesser, next.en.toUpperCase())
    await pointsAre(players, 1, points)
    await wordChanges(second.performer, next)
  }
  for (const player of players) {
    await phaseIs(player.page, 'over')
    const words = boardWords[player.language]
    await player.page.getByRole('heading', { name: words.won.moon }).waitFor()
    const isWinner = player === second.performer || player === second.guesser
    await player.page
      .getByRole('status')
      .getByText(isWinner ? words.youWon : words.youLost)
      .waitFor()
  }
  await guesser.page.locator('.afterwards .primary').waitFor()
  expect(visitors.flatMap(({ trouble }) => trouble)).toEqual([])
}, 240_000)

test('who only watches sees the guesses and no word, and is asked for nothing', async () => {
  const { page } = await nextOf(stage, 6, {})
  const watcher = await stage.page('eva', 'Eva', {})
  await watcher.goto(page.url())
  await watcher.locator('.charades[data-part="watcher"]').waitFor()
  await page.locator('.charades-act').click()
  await page.locator('.charades-word').waitFor()
  await phaseIs(watcher, 'acting')
  expect(await watcher.locator('.charades :is(.charades-word, input, button)').count()).toBe(0)
  await watcher.locator('.charades-hidden').waitFor()
})

test('from four to twelve people around the table, nobody covers anybody, nor the word and what is below it', async () => {
  for (let count = 4; count <= 12; count++) {
    const { page, guess } = await nextOf(stage, count, { viewport: { width: 1280, height: 720 } })
    expect.soft(await overlaps(page), `${count} get ready`).toEqual([])
    await page.locator('.charades-act').click()
    await page.locator('.charades-word').waitFor()
    for (const text of ['one', 'another', 'a rather long guess', 'elephant?', 'what is it then?']) await guess(text)
    await page.locator('.charades-guesses').getByText('what is it then?').waitFor()
    expect.soft(await overlaps(page), `${count} play`).toEqual([])
    await page.context().close()
  }
}, 180_000)
