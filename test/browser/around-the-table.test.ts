import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { Room } from '../../client/client.ts'
import type mafia from '../../games/mafia/rules.ts'
import { until } from '../program.ts'
import { overlaps } from './overlaps.ts'
import { JWT_SECRET, pageAs, sit } from './people.ts'
import { programAndBrowser } from './program.ts'

const { browser, program } = await programAndBrowser('--jwt-secret', JWT_SECRET)

/** Marks all as of the mafia, as one of them sees the others: who they are is drawn by lot, and so is who sits beside whom. */
const showAsMafia = (page: Page): Promise<void> =>
  page.evaluate(() => {
    for (const seat of document.querySelectorAll('.mafia-seat')) {
      if (seat.querySelector('.mafia-mark') !== null) continue
      const mark = document.createElement('span')
      mark.className = 'card-text mafia-mark'
      mark.dataset.role = 'mafia'
      mark.textContent = 'mafia'
      seat.prepend(mark)
    }
  })

test('from five to twelve people around the table, nobody covers anybody, nor what is in the middle', async () => {
  const page = await pageAs(browser, 'p0', 'Player 0', { viewport: { width: 1280, height: 720 } })
  const host = await sit(program.url, 'p0', 'Player 0')
  const sessions = [host]
  for (let index = 1; index < 12; index++) sessions.push(await sit(program.url, `p${index}`, `Player ${index}`))
  for (let count = 5; count <= 12; count++) {
    const id = await host.create('mafia', { night: 600, day: 600 })
    await page.goto(`${program.url}/play/${id}`)
    await page.locator('.people [data-player-id="p0"]').waitFor()
    const rooms: Room<typeof mafia>[] = []
    for (const session of sessions.slice(0, count)) rooms.push(await session.join<typeof mafia>(id))
    await page.locator(`[data-player-id="p${count - 1}"]`).waitFor()
    expect.soft(await overlaps(page), `${count} wait`).toEqual([])
    await page.locator('button.start').click()
    await page.locator('.mafia[data-phase="night"]').waitFor()
    await until(() => rooms.every(({ document }) => document.game !== null), 'the night of all')
    const guilty = rooms.find(({ document }) => document.game?.mafia)?.document.game?.mafia
    const victim =
      Array.from({ length: count }, (_, index) => `p${index}`).findLast((id) => !guilty?.includes(id)) ?? ''
    for (const room of rooms) {
      if (room.document.game?.role === 'mafia') await room.move.vote({ target: victim })
    }
    await page.locator('.mafia[data-phase="day"]').waitFor()
    for (const [index, room] of rooms.entries()) {
      if (`p${index}` !== victim && index < count - 2) await room.move.vote({ target: `p${(index + 1) % 2}` })
    }
    await page.locator('.mafia-votes').first().waitFor()
    await showAsMafia(page)
    expect.soft(await overlaps(page), `${count} vote`).toEqual([])
    for (const room of rooms) await room.leave()
  }
}, 180_000)
