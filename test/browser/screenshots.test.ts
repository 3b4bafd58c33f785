import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { type Look, SCENES, type Scene, Stage } from './scenes.ts'
import { VIDEO_SCENES } from './video-scenes.ts'

// Takes the pictures of the README each time, and keeps them where it is asked to: SCREENSHOTS=1 npm test -- screenshots

const KEPT = process.env.SCREENSHOTS_FOLDER ?? fileURLToPath(new URL('../../docs/screenshots/', import.meta.url))
const SIZES = { 390: { width: 390, height: 844 }, 1280: { width: 1280, height: 800 } }

const stage = await Stage.ofThisFile()

/** What differs from run to run: the room's code and link, and the seconds that have passed. */
const settle = async (page: Page): Promise<void> => {
  await page.evaluate(async () => {
    const code = 'k7wq3mzt5xe2rbn4ahy6dpfc2u'
    for (const element of document.querySelectorAll('.code code')) element.textContent = code
    for (const input of document.querySelectorAll<HTMLInputElement>('.invite input'))
      input.value = `https://madang.example/play/${code}`
    for (const time of document.querySelectorAll('.mafia-time'))
      time.textContent = document.querySelector('[data-phase="night"]') ? '0:48' : '4:12'
    for (const time of document.querySelectorAll('.charades-time')) time.textContent = '0:42'
    for (const circle of document.querySelectorAll('.rim circle')) circle.setAttribute('stroke-dasharray', '0.8 1')
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    await document.fonts.ready
  })
}

const TRIES = 4

/** The picture of a page at rest: the same twice in a row, or nearly: letters may be drawn a shade apart. */
const portray = async (page: Page): Promise<Buffer> => {
  await page.mouse.move(0, 0)
  let last: Buffer = Buffer.alloc(0)
  for (let tries = 0; tries < TRIES; tries++) {
    await settle(page)
    const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' })
    if (last.equals(picture)) break
    last = picture
  }
  return last
}

const wanted: readonly (Scene & Pick<Look, 'colorScheme'>)[] = [...SCENES, ...VIDEO_SCENES].filter(({ name }) =>
  name.includes(process.env.SCENE ?? ''),
)

test.each(wanted)(
  'the picture of $name is taken at both sizes, by day and by night',
  async ({ name, open, colorScheme: only }) => {
    const folder = process.env.SCREENSHOTS ? KEPT : stage.program.data
    mkdirSync(folder, { recursive: true })
    for (const [width, viewport] of Object.entries(SIZES)) {
      for (const colorScheme of ['light', 'dark'] as const) {
        if (only !== undefined && only !== colorScheme) continue
        const look: Look = { viewport, colorScheme, locale: colorScheme === 'light' ? 'en-US' : 'ko-KR' }
        const page = await open(stage, look)
        const picture = await portray(page)
        writeFileSync(`${folder}/${name}-${width}-${colorScheme}.png`, picture)
        expect(picture.length).toBeGreaterThan(1_000)
        await page.context().close()
      }
    }
  },
  180_000,
)
