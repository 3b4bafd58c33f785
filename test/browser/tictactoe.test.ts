import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Program, startMadang, temporaryFolder } from '../program.ts'
import { connectionIs, launchChromium, meOf, visit } from './chromium.ts'
import { mark, marks, openRoom, says, shows } from './play.ts'

let browser: Browser
let data: ReturnType<typeof temporaryFolder>
let program: Program
const start = (port = 0): Promise<Program> => startMadang(['--data', data.path], { port })

beforeAll(async () => {
  data = temporaryFolder()
  browser = await launchChromium()
  program = await start()
}, 60_000)
afterEach(async () => {
  for (const context of browser.contexts()) await context.close()
})
afterAll(async () => {
  await browser?.close()
  await program?.kill()
  data[Symbol.dispose]()
})

test('P1, P2: two people play a whole game by clicking, through a reload and a kill -9 of the server in the middle', async () => {
  const { page: ann, trouble: annsTrouble } = await visit(browser, program.url)
  const { page: bob, trouble: bobsTrouble } = await visit(browser, program.url)
  const link = await openRoom(ann, program.url, 'Ann', 'Tic-tac-toe')
  await says(ann, '1 more player is needed.')
  expect(await ann.evaluate(() => ({ ...document.documentElement.dataset }))).toMatchObject({
    connection: 'online',
    transport: 'websocket',
  })
  await bob.goto(`${link}?name=Bob`)
  await says(ann, 'Your turn.')
  await says(bob, 'Ann’s turn.')
  expect(bob.url(), 'the address may be sent on: it invites under no name').toBe(link)
  const annsId = await meOf(ann)
  expect(annsId).toBeTruthy()
  expect(await meOf(bob)).not.toBe(annsId)

  await mark(ann, 4)
  await shows(bob, 4, 'other')
  await mark(bob, 0)
  await shows(ann, 0, 'other')
  await ann.reload()
  await says(ann, 'Your turn.')
  expect(await meOf(ann), 'a reload goes on as the same player').toBe(annsId)
  await mark(ann, 1)
  await says(bob, 'Your turn.')

  const { port } = program
  await program.kill('SIGKILL')
  for (const page of [ann, bob]) {
    await connectionIs(page, 'reconnecting')
    await says(page, 'Reconnecting. Your move is kept.')
  }
  await mark(bob, 8)
  program = await start(port)
  for (const page of [ann, bob]) await connectionIs(page, 'online')
  await shows(ann, 8, 'other')
  await shows(bob, 8, 'me')
  await mark(ann, 7)
  await says(ann, 'You won!')
  await says(bob, 'Ann won.')
  expect(await marks(ann)).toEqual(['other', 'me', null, null, 'me', null, null, 'me', 'other'])
  expect(await marks(bob)).toEqual(['me', 'other', null, null, 'other', null, null, 'other', 'me'])

  await bob.getByRole('button', { name: 'Play again' }).click()
  await bob.waitForURL((url) => url.href !== link)
  await ann.waitForURL(bob.url())
  for (const page of [ann, bob]) await page.locator('[data-cell="0"]').waitFor()
  expect(await marks(ann)).toEqual(Array(9).fill(null))
  expect([...annsTrouble, ...bobsTrouble]).toEqual([])
})

test('the board is played with arrows and Enter alone', async () => {
  const { page: ann } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  await bob.goto(`${await openRoom(ann, program.url, 'Ann', 'Tic-tac-toe')}?name=Bob`)
  await says(ann, 'Your turn.')
  await ann.locator('[data-cell="4"]').focus()
  for (const key of ['ArrowUp', 'ArrowUp', 'ArrowLeft', 'Enter']) await ann.keyboard.press(key)
  await shows(bob, 0, 'other')
  expect(await ann.locator('[data-cell="0"]').getAttribute('aria-label')).toBe('Row 1, column 1: you')
})

test('a second tab with the same session takes the seat over, the first says so and takes it back', async () => {
  const { page: ann } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  const link = await openRoom(ann, program.url, 'Ann', 'Tic-tac-toe')
  await bob.goto(`${link}?name=Bob`)
  await says(ann, 'Your turn.')
  const me = await meOf(ann)
  const kept = await ann.evaluate(() => ({ ...sessionStorage }))
  const copy = await ann.context().newPage()
  await copy.addInitScript((kept) => {
    for (const [key, value] of Object.entries(kept)) sessionStorage.setItem(key, value)
  }, kept)
  await copy.goto(link)
  await says(copy, 'Your turn.')
  expect(await meOf(copy)).toBe(me)
  await ann.getByRole('heading', { name: 'You went on in another tab' }).waitFor()
  await ann.getByRole('button', { name: 'Play here' }).click()
  await mark(ann, 2)
  await shows(bob, 2, 'other')
  await copy.getByRole('heading', { name: 'You went on in another tab' }).waitFor()
})

test('another tab is another guest, who finds the seats taken and watches', async () => {
  const { page: ann } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  const link = await openRoom(ann, program.url, 'Ann', 'Tic-tac-toe')
  await bob.goto(`${link}?name=Bob`)
  await says(ann, 'Your turn.')
  const other = await ann.context().newPage()
  await other.goto(link)
  await other.getByRole('button', { name: 'Join' }).click()
  await other.getByText('You are watching.').waitFor()
  expect(await meOf(other)).not.toBe(await meOf(ann))
  await mark(ann, 4)
  await shows(other, 4, 'other')
  expect(await other.locator('[data-cell][aria-disabled="false"]').count()).toBe(0)
})

test('who leaves in the middle is asked first, loses the game, and the other is told', async () => {
  const { page: ann } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  await bob.goto(`${await openRoom(ann, program.url, 'Ann', 'Tic-tac-toe')}?name=Bob`)
  await says(ann, 'Your turn.')
  await bob.getByRole('button', { name: 'Leave' }).click()
  await bob.getByRole('button', { name: 'Leave the game' }).click()
  await bob.waitForURL(`${program.url}/`)
  await says(ann, 'The other player left. You win.')
})

test('a public room is in the lobby of others, who sit down with one click; the lobby speaks Korean to Koreans', async () => {
  const { page: ann } = await visit(browser, program.url)
  await ann.goto(program.url)
  await ann.getByLabel('Your name').fill('Ann')
  await ann.getByRole('button', { name: 'Open a room: Tic-tac-toe' }).click()
  await ann.getByLabel('Anyone may join').check()
  await ann.getByRole('button', { name: 'Open the room' }).click()
  await says(ann, '1 more player is needed.')
  const { page: bora } = await visit(browser, program.url, 'ko-KR')
  await bora.goto(program.url)
  await bora.getByLabel('이름').fill('보라')
  await bora.getByRole('button', { name: '앉기: 틱택토' }).click()
  await says(bora, 'Ann 님 차례예요.')
  await says(ann, 'Your turn.')
  expect(await bora.evaluate(() => document.documentElement.lang)).toBe('ko')
})

test('a link to a room that does not exist says so, and leads back to the lobby', async () => {
  const { page } = await visit(browser, program.url)
  await page.goto(`${program.url}/play/nowhere?name=Ann`)
  await page.getByRole('heading', { name: 'This room does not exist' }).waitFor()
  await page.getByRole('link', { name: 'Back to the lobby' }).click()
  await page.getByLabel('Link or code').fill('not a room!')
  await page.getByRole('button', { name: 'Join', exact: true }).click()
  await page.getByRole('alert').getByText('This is neither a link to a room nor its code.').waitFor()
})

test('who goes back to the lobby is away for the others, and forward again sits in the same seat', async () => {
  const { page: ann } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  await bob.goto(`${await openRoom(ann, program.url, 'Ann', 'Tic-tac-toe')}?name=Bob`)
  await says(ann, 'Your turn.')
  const annsId = await meOf(ann)
  await ann.goBack()
  await ann.getByRole('heading', { name: 'Open tables' }).waitFor()
  await bob.locator('[data-connected="false"]').getByText('away').waitFor()
  await ann.goForward()
  await says(ann, 'Your turn.')
  expect(await meOf(ann)).toBe(annsId)
  await bob.locator('[data-connected="false"]').waitFor({ state: 'detached' })
})

test('the host removes somebody who waits, who is told so and cannot come back', async () => {
  const { page: ann } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  await bob.goto(`${await openRoom(ann, program.url, 'Ann', 'Mafia')}?name=Bob`)
  await bob.getByRole('status').getByText('3 more players are needed.').waitFor()
  await ann.getByRole('button', { name: 'Remove Bob' }).click()
  await bob.getByRole('heading', { name: 'The host gave your seat away' }).waitFor()
  await says(ann, '4 more players are needed.')
  await bob.reload()
  await bob.getByText('The host removed you from this room.').waitFor()
})

test('offline, the page says so and keeps the move; back online it is made', async () => {
  const { page: ann } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  await bob.goto(`${await openRoom(ann, program.url, 'Ann', 'Tic-tac-toe')}?name=Bob`)
  await says(ann, 'Your turn.')
  await ann.context().setOffline(true)
  await connectionIs(ann, 'offline')
  await says(ann, 'You are offline. Your move is kept.')
  await ann.locator('.link-state').getByText('Offline').waitFor()
  await mark(ann, 4)
  await ann.context().setOffline(false)
  await connectionIs(ann, 'online')
  await shows(bob, 4, 'other')
  await says(ann, 'Bob’s turn.')
})
