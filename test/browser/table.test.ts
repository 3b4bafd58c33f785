import { expect, test } from 'vitest'
import { connect } from '../../client/client.ts'
import type mafia from '../../games/mafia/rules.ts'
import { until } from '../program.ts'
import { visit } from './chromium.ts'
import { mark, openRoom, says, shows } from './play.ts'
import { programAndBrowser } from './program.ts'

const { browser, program } = await programAndBrowser()

test('what is said is read by the others, once, also after a reload; what happened stands beside it', async () => {
  const { page: ann, trouble } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  const link = await openRoom(ann, program.url, 'Ann', 'Tic-tac-toe')
  await ann.getByLabel('Message').fill('Anybody there?')
  await ann.getByLabel('Message').press('Enter')
  await bob.goto(`${link}?name=Bob`)
  const read = (page: typeof ann, text: string) => page.locator('.lines').getByText(text, { exact: true })
  await read(bob, 'Anybody there?').waitFor()
  await bob.getByLabel('Message').fill('Here I am.')
  await bob.getByRole('button', { name: 'Send' }).click()
  await read(ann, 'Here I am.').waitFor()
  await mark(ann, 4)
  await read(bob, 'Ann drew a ring.').waitFor()
  await bob.reload()
  for (const text of ['Anybody there?', 'Here I am.']) await read(bob, text).waitFor()
  await program.kill('SIGTERM')
  await program.again()
  await says(ann, 'Bob’s turn.')
  await mark(bob, 0)
  await shows(ann, 0, 'other')
  expect(await read(ann, 'Here I am.').count()).toBe(1)
  expect(await bob.getByLabel('Message').inputValue(), 'what was sent leaves the field').toBe('')
  expect(trouble).toEqual([])
})

test('a whole game is set up and played with the keyboard alone', async () => {
  const { page: ann } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  await ann.goto(program.url)
  await ann.getByRole('button', { name: 'Open a room: Tic-tac-toe' }).waitFor()
  const tabTo = async (label: string): Promise<void> => {
    for (let presses = 0; presses < 40; presses++) {
      const here = await ann.evaluate(() => {
        const { activeElement } = document
        if (activeElement === document.body) return ''
        const labels = activeElement instanceof HTMLInputElement ? [...(activeElement.labels ?? [])] : []
        return `${activeElement?.getAttribute('aria-label') ?? ''}${labels.map((each) => each.textContent)}${activeElement?.textContent}`
      })
      if (here.includes(label)) return
      await ann.keyboard.press('Tab')
    }
    throw new Error(`Tab never came to ${label}`)
  }
  await tabTo('Your name')
  await ann.keyboard.type('Ann')
  await tabTo('Open a room: Tic-tac-toe')
  await ann.keyboard.press('Enter')
  await tabTo('Open the room')
  await ann.keyboard.press('Enter')
  await ann.waitForURL(/\/play\//)
  await bob.goto(`${ann.url()}?name=Bob`)
  await says(ann, 'Your turn.')
  await ann.keyboard.press('?')
  await ann.getByRole('dialog', { name: 'Keys' }).waitFor()
  await ann.keyboard.press('Escape')
  await ann.keyboard.press('b')
  await ann.keyboard.press('Enter')
  await shows(bob, 4, 'other')
  await mark(bob, 0)
  await says(ann, 'Your turn.')
  for (const key of ['ArrowUp', 'Enter']) await ann.keyboard.press(key)
  await shows(bob, 1, 'other')
  await ann.keyboard.press('t')
  await ann.keyboard.type('s?')
  expect(await ann.getByLabel('Message').inputValue(), 'in a field, keys are letters').toBe('s?')
  await ann.keyboard.press('Enter')
  await bob.locator('.lines').getByText('s?').waitFor()
  await ann.keyboard.press('Escape')
  await mark(bob, 8)
  await says(ann, 'Your turn.')
  await ann.keyboard.press('b')
  for (const key of ['ArrowDown', 'ArrowDown', 'Enter']) await ann.keyboard.press(key)
  await says(ann, 'You won!')
})

test('? shows the keys, S turns the sounds off and on, and both are remembered as they should be', async () => {
  const { page } = await visit(browser, program.url)
  await page.goto(program.url)
  const sound = page.getByRole('button', { name: 'Sound on' })
  await sound.waitFor()
  await page.locator('main').focus()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('s')
  expect(await sound.getAttribute('aria-pressed')).toBe('false')
  await page.reload()
  expect(await sound.getAttribute('aria-pressed')).toBe('false')
  await page.locator('main').focus()
  await page.keyboard.press('s')
  expect(await sound.getAttribute('aria-pressed')).toBe('true')
})

test('a spectator is counted, and talks with those who watch, whom the players do not read', async () => {
  const { page: ann } = await visit(browser, program.url)
  const { page: bob } = await visit(browser, program.url)
  const { page: cho } = await visit(browser, program.url)
  const link = await openRoom(ann, program.url, 'Ann', 'Tic-tac-toe')
  await bob.goto(`${link}?name=Bob`)
  await says(bob, 'Ann’s turn.')
  await cho.goto(`${link}?name=Cho`)
  await cho.getByText('You are watching.').waitFor()
  await ann.locator('.onlookers').getByText('1 watching').waitFor()
  await cho.getByLabel('Message').fill('Well played')
  await cho.getByLabel('Message').press('Enter')
  await cho.locator('.lines').getByText('Well played').waitFor()
  await cho.locator('.reach').getByText('Only those who watch can read you now.').waitFor()
  expect(await cho.locator('.seen-as').count(), 'nobody sees who watches').toBe(0)
  await mark(ann, 4)
  await shows(bob, 4, 'other')
  expect(await ann.getByText('Well played').count()).toBe(0)
})

test('who finds the seats taken watches, and sits down when one comes free', async () => {
  const guests = await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const session = connect({ url: program.url, guest: `Guest ${index}` })
      await session.ready
      return session
    }),
  )
  const [host, second] = guests
  const room = (await host?.create('mafia')) ?? ''
  for (const guest of guests) await guest.join(room)
  const { page } = await visit(browser, program.url)
  await page.goto(`${program.url}/play/${room}?name=Late`)
  await page.getByText('You are watching: the seats were taken.').waitFor()
  await second?.join(room).then((joined) => joined.leave())
  await page.getByRole('button', { name: 'Take a seat' }).click()
  await page.locator('.people [data-you="true"]').getByText('Late').waitFor()
  await page.getByText('You are watching').waitFor({ state: 'detached' })
  for (const guest of guests) guest.close()
})

test('a vote travels from the voter to the target, and for those who want no motion it is simply there', async () => {
  const people = await Promise.all(
    ['Ann', 'Bob', 'Cho', 'Dan'].map(async (guest) => {
      const session = connect({ url: program.url, guest })
      await session.ready
      return session
    }),
  )
  const [host] = people
  const id = (await host?.create('mafia', { night: 600, day: 600 })) ?? ''
  const rooms = await Promise.all(people.map((session) => session.join<typeof mafia>(id)))
  const seen: number[] = []
  for (const reducedMotion of ['no-preference', 'reduce'] as const) {
    const page = await (await browser.newContext({ reducedMotion })).newPage()
    await page.addInitScript(() => {
      const watch = new MutationObserver((changes) => {
        const added = changes.flatMap(({ addedNodes }) => [...addedNodes])
        const ballots = added.filter((node) => node instanceof HTMLElement && node.className === 'mafia-ballot').length
        const { dataset } = document.documentElement
        dataset.ballots = String(Number(dataset.ballots ?? 0) + ballots)
      })
      watch.observe(document, { childList: true, subtree: true })
    })
    await page.goto(`${program.url}/play/${id}?name=Eva&av=off`)
    if (seen.length === 0) {
      await page.locator('.people [data-you="true"]').waitFor()
      await rooms[0]?.start()
      await page.locator('.mafia[data-phase="night"]').waitFor()
      await until(() => rooms.every(({ document }) => document.game !== null), 'the night')
      for (const room of rooms) {
        const { game, room: info } = room.document
        const target = info.players.find((player) => !game?.mafia?.includes(player) && player !== info.host)
        if (game?.role === 'mafia') await room.move.vote({ target: target ?? '' })
      }
      const vote = page.getByRole('button', { name: 'Vote against Bob' })
      if (await vote.isVisible()) await vote.click()
    }
    await page.locator('.mafia[data-phase="day"]').waitFor()
    await until(() => rooms[0]?.document.game?.phase === 'day', 'the day')
    // Ann lives: nobody voted against the host.
    const target = rooms[0]?.document.game?.alive.at(seen.length) ?? ''
    await rooms[0]?.move.vote({ target })
    await page.locator(`[data-player-id="${target}"] .mafia-votes`).waitFor()
    const ballots = (): Promise<number> => page.evaluate(() => Number(document.documentElement.dataset.ballots ?? 0))
    // A ballot leaves once the vote is painted.
    if (reducedMotion === 'no-preference') await expect.poll(ballots).toBeGreaterThan(0)
    else
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    seen.push(await ballots())
  }
  expect(seen[0]).toBeGreaterThan(0)
  expect(seen[1]).toBe(0)
  for (const session of people) session.close()
})
