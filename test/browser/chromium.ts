import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { buildPage, pageReady } from '../../scripts/page.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ARGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A Chromium without windows: the one that MADANG_CHROMIUM names, else Debian's. */
export const startChromium = (args: readonly string[] = []): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.MADANG_CHROMIUM ?? '/usr/bin/chromium', args: [...ARGS, ...args] })

/** A Chromium before which the program's page is built where it is not as the sources are. */
export const launchChromium = async (args: readonly string[] = []): Promise<Browser> => {
  if (!pageReady(ROOT)) await buildPage(ROOT, process.execPath, () => {})
  return startChromium(args)
}

/** Below a test's own limit, so that a failure names what was waited for. */
const WAIT_MS = 30_000

const DOWN = /WebSocket connection|net::ERR_(CONNECTION|EMPTY_RESPONSE|INCOMPLETE_CHUNKED|NETWORK|SOCKET)|status of 503/

export interface Visitor {
  readonly page: Page
  /** What the page asked of other origins, logged as an error or threw: all that a good page never does. */
  readonly trouble: readonly string[]
}

/** A page of a browser profile of its own. It is past the check before a table, and has left video: video.test.ts is for that. */
export const visit = async (browser: Browser, origin: string, locale = 'en-US'): Promise<Visitor> => {
  const visitor = await visitWithVideo(browser, origin, { locale })
  await visitor.page.context().addInitScript(() => {
    sessionStorage.setItem('madang.video', sessionStorage.getItem('madang.video') ?? '')
  })
  return visitor
}

/** A page of a browser profile of its own, as anybody opens it. */
export const visitWithVideo = async (
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> => {
  const context = await browser.newContext({ locale: 'en-US', reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(WAIT_MS)
  const trouble: string[] = []
  page.on('request', (request) => {
    const { host, protocol } = new URL(request.url())
    if (host !== new URL(origin).host && protocol !== 'data:') trouble.push(`asked ${request.url()}`)
  })
  page.on('pageerror', (error) => trouble.push(`threw ${error}`))
  page.on('console', (message) => {
    // That nothing can be asked while the server is down, or drains, is no fault of the page.
    if (message.type() === 'error' && !DOWN.test(message.text())) trouble.push(`logged ${message.text()}`)
  })
  return { page, trouble }
}

/** Resolves once the page's connection is in this state. */
export const connectionIs = (page: Page, state: string): Promise<unknown> =>
  page.waitForFunction((state) => document.documentElement.dataset.connection === state, state)

/** The player that the page plays for. */
export const meOf = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => document.documentElement.dataset.me)
