import type { Page } from 'playwright-core'
import { afterAll, describe, expect, test } from 'vitest'
import { buffering } from '../transports/proxies/buffering.ts'
import type { ReverseProxy } from '../transports/proxies/reverse.ts'
import { stripUpgrade } from '../transports/proxies/strip-upgrade.ts'
import { swallowUpgrade } from '../transports/proxies/swallow-upgrade.ts'
import { visit } from './chromium.ts'
import { FIREFOX, launchFirefox } from './firefox.ts'
import { mark, marks, openRoom, says, shows } from './play.ts'
import { programAndBrowser } from './program.ts'

const { browser, program } = await programAndBrowser()
const firefox = FIREFOX === null ? null : await launchFirefox()
afterAll(() => firefox?.close())

/** Resolves once the page says that it is online over this transport. */
const runsOver = (page: Page, transport: string): Promise<unknown> =>
  page.waitForFunction((transport) => {
    const { dataset } = document.documentElement
    return dataset.connection === 'online' && dataset.transport === transport
  }, transport)

const BLOCKED: readonly { name: string; open: (port: number) => Promise<ReverseProxy>; transport: string }[] = [
  { name: 'strips Upgrade', open: stripUpgrade, transport: 'sse' },
  { name: 'swallows upgrades', open: swallowUpgrade, transport: 'sse' },
  { name: 'buffers', open: buffering, transport: 'longpoll' },
]

describe.each(BLOCKED)('a page behind a proxy that $name', ({ open, transport }) => {
  test(`plays a whole game in Chromium over ${transport}, against one without a proxy, and again`, async () => {
    await using proxy = await open(program.port)
    const { page: ann } = await visit(browser, proxy.url)
    const { page: bob } = await visit(browser, program.url)
    const link = await openRoom(ann, proxy.url, 'Ann', 'Tic-tac-toe')
    await says(ann, '1 more player is needed.')
    await runsOver(ann, transport)
    const { pathname } = new URL(link)
    await bob.goto(`${program.url}${pathname}?name=Bob&av=off`)
    await says(ann, 'Your turn.')
    await runsOver(bob, 'websocket')
    for (const [mover, other, cell] of [
      [ann, bob, 4],
      [bob, ann, 0],
      [ann, bob, 1],
      [bob, ann, 8],
    ] as const) {
      await mark(mover, cell)
      await shows(other, cell, 'other')
    }
    await mark(ann, 7)
    await says(ann, 'You won!')
    await says(bob, 'Ann won.')
    expect(await marks(ann)).toEqual(['other', 'me', null, null, 'me', null, null, 'me', 'other'])
    await runsOver(ann, transport)
    await bob.getByRole('button', { name: 'Play again' }).click()
    await bob.waitForURL((url) => url.pathname !== pathname)
    await ann.waitForURL((url) => url.pathname === new URL(bob.url()).pathname)
    for (const page of [ann, bob]) await page.locator('[data-cell="0"]').waitFor()
    await expect.poll(() => marks(ann)).toEqual(Array(9).fill(null))
  })

  test.skipIf(FIREFOX === null)(`plays a whole game in Firefox over ${transport}, against a Chromium`, async () => {
    await using proxy = await open(program.port)
    const { page: ann } = await visit(browser, program.url)
    const link = await openRoom(ann, program.url, 'Ann', 'Tic-tac-toe')
    const { page: bob } = firefox ?? expect.fail()
    await bob.goto(`${proxy.url}${new URL(link).pathname}?name=Bob&av=off`)
    await bob.shows('.ttt-status', 'Ann’s turn.')
    await bob.shows(`html[data-connection="online"][data-transport="${transport}"]`)
    for (const [cell, answer] of [
      [4, 0],
      [1, 8],
    ]) {
      await mark(ann, cell ?? 0)
      await bob.shows(`[data-cell="${cell}"][data-by="other"]`)
      await bob.click(`[data-cell="${answer}"][aria-disabled="false"]`)
      await shows(ann, answer ?? 0, 'other')
    }
    await mark(ann, 7)
    await bob.shows('.ttt-status', 'Ann won.')
    await says(ann, 'You won!')
    await bob.shows(`html[data-transport="${transport}"]`)
  })
})
