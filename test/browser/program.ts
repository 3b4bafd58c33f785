import type { Browser } from 'playwright-core'
import { afterAll, afterEach } from 'vitest'
import { type ProgramOfFile, programOfThisFile } from '../wire/program.ts'
import { launchChromium } from './chromium.ts'

/** The real program and a browser for the tests of one file: they are gone after the last of them, and the pages of each test after it. */
export const programAndBrowser = async (
  ...args: readonly string[]
): Promise<{ browser: Browser; program: ProgramOfFile }> => {
  // First the browser: the page that the program serves may have to be built.
  const browser = await launchChromium()
  afterAll(() => browser.close())
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  return { browser, program: await programOfThisFile(...args) }
}
