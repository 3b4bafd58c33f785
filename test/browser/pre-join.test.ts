import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { violations } from './axe.ts'
import { visitWithVideo } from './chromium.ts'
import { ALLOWED, DENIED, newRoom, programAndDevices } from './with-devices.ts'

const { browser, program } = await programAndDevices()

const atTable = (page: Page): Promise<void> => page.locator('.people [data-you="true"]').waitFor()
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true })

test('before the table comes a check: one sees oneself as in a mirror, hears that the microphone hears, and comes in; nothing is asked twice', async () => {
  const room = await newRoom(program.url)
  const { page, trouble } = await visitWithVideo(browser, program.url, ALLOWED)
  await page.goto(`${room}?name=Ann`)
  await page.waitForFunction(() => (document.querySelector<HTMLVideoElement>('.mirrored')?.videoWidth ?? 0) > 0)
  expect(await page.locator('.people').count(), 'nobody is at the table yet').toBe(0)
  await page.getByLabel('Camera').and(page.locator('select')).waitFor()
  const microphones = page.getByLabel('Microphone').and(page.locator('select')).locator('option')
  await expect.poll(() => microphones.count()).toBeGreaterThan(1)
  await page.mouse.click(5, 5)
  await page.waitForFunction(
    () => Number(document.querySelector<HTMLElement>('.level')?.style.getPropertyValue('--level')) > 0.05,
  )
  await button(page, 'Join with camera').click()
  await atTable(page)
  await page.locator('.reach').getByText('Everyone sees and hears you.').waitFor()
  await page.reload()
  await atTable(page)
  await page.locator('.reach').getByText('Everyone sees and hears you.').waitFor()
  expect(await page.locator('.pre-join').count()).toBe(0)
  expect(trouble).toEqual([])
})

test('with the keyboard alone one turns the camera off, chooses another microphone, which is kept for next time, and comes in', async () => {
  const room = await newRoom(program.url)
  const { page } = await visitWithVideo(browser, program.url, ALLOWED)
  await page.goto(`${room}?name=Ann`)
  await page.locator('.mirrored').waitFor()
  await page.keyboard.press('v')
  await page.locator('.mirrored').waitFor({ state: 'detached' })
  await page.locator('.mirror-face .mask').waitFor()
  const choice = page.getByLabel('Microphone').and(page.locator('select'))
  await choice.focus()
  const before = await choice.inputValue()
  await page.keyboard.press('ArrowDown')
  await expect.poll(() => choice.inputValue()).not.toBe(before)
  const chosen = await choice.inputValue()
  for (let presses = 0; presses < 10; presses++) {
    if (await button(page, 'Join with microphone').evaluate((it) => it === document.activeElement)) break
    await page.keyboard.press('Tab')
  }
  await page.keyboard.press('Enter')
  await atTable(page)
  await page.locator('.reach').getByText('You are seen as a mask. Everyone hears you.').waitFor()
  const next = await page.context().newPage()
  await next.goto(`${room}?name=Bob`)
  const nextChoice = next.getByLabel('Microphone').and(next.locator('select'))
  await nextChoice.waitFor()
  await expect.poll(() => nextChoice.inputValue()).toBe(chosen)
  expect(await next.locator('.mirrored').count(), 'the camera that was off stays off').toBe(0)
})

test('a microphone that is off at the check sends nothing at the table either, until it is turned on', async () => {
  const room = await newRoom(program.url)
  const { page } = await visitWithVideo(browser, program.url, ALLOWED)
  await page.goto(`${room}?name=Ann`)
  await button(page, 'Join with camera').waitFor()
  await page.getByRole('button', { name: 'Microphone' }).click()
  await button(page, 'Join with camera').click()
  await page.locator('.reach').getByText('Everyone sees you. You are not heard.').waitFor()
  await page.keyboard.press('m')
  await page.locator('.reach').getByText('Everyone sees and hears you.').waitFor()
})

test('where the browser denies the devices it is said what to do, and one comes in without', async () => {
  const room = await newRoom(program.url)
  const { page, trouble } = await visitWithVideo(browser, program.url, DENIED)
  await page.goto(`${room}?name=Ann`)
  const alert = page.getByRole('alert')
  await alert.getByText('Your browser keeps this page from the camera.').waitFor()
  await alert.getByText('Your browser keeps this page from the microphone.').waitFor()
  expect(await page.getByRole('button', { name: /^Join with / }).count()).toBe(0)
  await page.context().grantPermissions(['camera', 'microphone'])
  await button(page, 'Try again').click()
  await button(page, 'Join with camera').waitFor()
  // What was mended is not told any more.
  await expect.poll(() => alert.locator('p').count()).toBe(0)
  await button(page, 'Join without').click()
  await atTable(page)
  await page.locator('.reach').getByText('You are seen as a mask, and not heard.').waitFor()
  expect(trouble).toEqual([])
})

test.each([
  ['NotFoundError', 'There is no camera here.'],
  ['NotReadableError', 'Another program is using the camera.'],
  ['TypeError', 'The camera did not start.'],
])('a camera that fails with %s has its own sentence, and the microphone goes on without it', async (name, says) => {
  const room = await newRoom(program.url)
  const { page } = await visitWithVideo(browser, program.url, ALLOWED)
  await page.addInitScript((name) => {
    const { mediaDevices } = navigator
    const real = mediaDevices.getUserMedia.bind(mediaDevices)
    mediaDevices.getUserMedia = async (wanted) => {
      if (wanted?.video) throw new DOMException('no', name)
      return real(wanted)
    }
  }, name)
  await page.goto(`${room}?name=Ann`)
  await page.getByRole('alert').getByText(says).waitFor()
  await button(page, 'Join with microphone').waitFor()
})

test('a page that comes by http from elsewhere says why a browser gives it no devices', async () => {
  const room = await newRoom(program.url)
  const { page } = await visitWithVideo(browser, program.url)
  await page.addInitScript(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }))
  await page.goto(`${room}?name=Ann`)
  await page.getByRole('alert').getByText('A browser gives the camera only to pages that come over https.').waitFor()
  await button(page, 'Join without').click()
  await atTable(page)
})

test('the check is clean by axe at both widths, by day and by night, in both languages, with devices and without; on a phone the way in is in view', async () => {
  const room = await newRoom(program.url)
  const found: string[] = []
  for (const width of [390, 1280])
    for (const colorScheme of ['light', 'dark'] as const)
      for (const permitted of [ALLOWED, DENIED]) {
        const { page } = await visitWithVideo(browser, program.url, {
          ...permitted,
          viewport: { width, height: 800 },
          colorScheme,
          locale: colorScheme === 'light' ? 'ko-KR' : 'en-US',
          bypassCSP: true,
        })
        await page.goto(`${room}?name=Ann`)
        await page
          .locator(permitted === ALLOWED ? '.mirrored' : '.trouble p')
          .first()
          .waitFor()
        for (const violation of await violations(page)) found.push(`${width} ${colorScheme} ${violation}`)
        expect(await page.evaluate(() => document.documentElement.scrollWidth), 'no sideways scrolling').toBe(width)
        const way = (await page.locator('.pre-join .button.primary').boundingBox()) ?? expect.fail('no way in')
        expect(way.y + way.height, 'the way in is in view').toBeLessThanOrEqual(800)
        await page.context().close()
      }
  expect(found).toEqual([])
}, 240_000)
