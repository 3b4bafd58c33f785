import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach } from 'vitest'
import { connect } from '../../client/client.ts'
import { type ProgramOfFile, programOfThisFile } from '../wire/program.ts'
import { launchChromium } from './chromium.ts'

/** A page that may use the browser's camera and microphone. */
export const ALLOWED: BrowserContextOptions = { permissions: ['camera', 'microphone'] }
/** One that may not. */
export const DENIED: BrowserContextOptions = { permissions: [] }

/** The program and a Chromium with a camera and a microphone that beeps, for the tests of one file. */
export const programAndDevices = async (): Promise<{ browser: Browser; program: ProgramOfFile }> => {
  const browser = await launchChromium(['--use-fake-device-for-media-stream'])
  afterAll(() => browser.close())
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  return { browser, program: await programOfThisFile() }
}

/** A room of a host who is away; resolves with its path. */
export const newRoom = async (url: string, game = 'tictactoe', options?: object): Promise<string> => {
  const host = connect({ url, guest: 'Host' })
  const room = await host.create(game, options)
  host.close()
  return `${url}/play/${room}`
}

/** Another player's picture. */
export const pictureOf = (page: Page, player: string | undefined) => page.locator(`video[data-player="${player}"]`)

/** Resolves once pictures of this player move on the page. */
export const moves = async (page: Page, player: string | undefined): Promise<void> => {
  await pictureOf(page, player).waitFor()
  await page.waitForFunction((player) => {
    const video = document.querySelector<HTMLVideoElement>(`video[data-player="${player}"]`)
    return video !== null && video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > 3
  }, player)
}
