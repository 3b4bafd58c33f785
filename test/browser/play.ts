import type { Page } from 'playwright-core'

/** Somebody opens a room in the lobby, in English; resolves with its link. */
export const openRoom = async (page: Page, origin: string, name: string, game: string): Promise<string> => {
  await page.goto(origin)
  await page.getByLabel('Your name').fill(name)
  await page.getByRole('button', { name: `Open a room: ${game}` }).click()
  await page.getByRole('button', { name: 'Open the room' }).click()
  await page.waitForURL(/\/play\//)
  return page.getByLabel('Invite with this link').inputValue()
}

/** Clicks a cell as soon as the page allows it. */
export const mark = (page: Page, cell: number): Promise<void> =>
  page.locator(`[data-cell="${cell}"][aria-disabled="false"]`).click()

/** Resolves once the page shows that the server has this mark. */
export const shows = (page: Page, cell: number, by: 'me' | 'other'): Promise<void> =>
  page.locator(`[data-cell="${cell}"][data-by="${by}"][data-sent="false"]`).waitFor()

/** Resolves once a status of the page says this. */
export const says = (page: Page, text: string): Promise<void> => page.getByRole('status').getByText(text).waitFor()
/** Whose mark is in each cell. */
export const marks = (page: Page): Promise<(string | null)[]> =>
  page.locator('[data-cell]').evaluateAll((cells) => cells.map((cell) => cell.getAttribute('data-by')))
