import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Program, startMadang, temporaryFolder } from '../program.ts'
import { launchChromium, visit } from './chromium.ts'
import { FIREFOX, launchFirefox } from './firefox.ts'

let chromium: Browser
let firefox: Awaited<ReturnType<typeof launchFirefox>>
let data: ReturnType<typeof temporaryFolder>
let program: Program

beforeAll(async () => {
  if (FIREFOX === null) return
  data = temporaryFolder()
  chromium = await launchChromium()
  program = await startMadang(['--data', data.path])
  firefox = await launchFirefox()
}, 240_000)
afterAll(async () => {
  await firefox?.close()
  await chromium?.close()
  await program?.kill()
  data?.[Symbol.dispose]()
})

test.skipIf(FIREFOX === null)(
  'a Firefox and a Chromium play a whole game in the same room, through a reload of the Firefox',
  async () => {
    const { page: ann } = await visit(chromium, program.url)
    await ann.goto(program.url)
    await ann.getByLabel('Your name').fill('Ann')
    await ann.getByRole('button', { name: 'Open a room: Tic-tac-toe' }).click()
    await ann.getByRole('button', { name: 'Open the room' }).click()
    const link = await ann.getByLabel('Invite with this link').inputValue()

    const { page: bob } = firefox
    await bob.goto(`${link}?name=Bob&av=off`)
    await bob.shows('.ttt-status', 'Ann’s turn.')
    const mark = async (cell: number): Promise<void> => {
      await ann.locator(`[data-cell="${cell}"][aria-disabled="false"]`).click()
      await bob.shows(`[data-cell="${cell}"][data-by="other"]`)
    }
    const answer = async (cell: number): Promise<void> => {
      await bob.click(`[data-cell="${cell}"][aria-disabled="false"]`)
      await ann.locator(`[data-cell="${cell}"][data-by="other"]`).waitFor()
    }
    await mark(4)
    await answer(0)
    const me = (): Promise<string | undefined> => bob.evaluate(() => document.documentElement.dataset.me, null)
    const before = await me()
    await bob.goto(link)
    await bob.shows('.ttt-status', 'Ann’s turn.')
    expect(await me(), 'a reload goes on as the same player').toBe(before)
    await mark(1)
    await answer(8)
    await mark(7)
    await bob.shows('.ttt-status', 'Ann won.')
    await ann.getByRole('status').getByText('You won!').waitFor()

    expect(
      await bob.evaluate(() => {
        const seats = [...document.querySelectorAll('.people [data-player-id]')]
        return seats.map((seat) => Math.round(seat.getBoundingClientRect().top)).every((top, _, all) => top === all[0])
      }, null),
      'two sit face to face in Firefox too',
    ).toBe(true)
  },
  240_000,
)
