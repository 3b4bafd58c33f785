import type { Page, WebSocketRoute } from 'playwright-core'
import { expect, test } from 'vitest'
import { connect } from '../../client/client.ts'
import type mafia from '../../games/mafia/rules.ts'
import { decode } from '../../protocol/codec.ts'
import { encode } from '../../protocol/encode.ts'
import { OP } from '../../protocol/frames.ts'
import { until } from '../program.ts'
import { violations } from './axe.ts'
import { launchChromium, meOf, visit, visitWithVideo } from './chromium.ts'
import { ALLOWED, moves, newRoom, pictureOf, programAndDevices } from './with-devices.ts'

const { browser, program } = await programAndDevices()

const seenAs = (page: Page, text: string): Promise<void> =>
  page.locator('.reach').getByText(text, { exact: true }).waitFor()
const seat = (page: Page, player: string | undefined) => page.locator(`.people [data-player-id="${player}"]`)
const masked = async (page: Page, player: string | undefined): Promise<void> => {
  await pictureOf(page, player).waitFor({ state: 'detached' })
  await seat(page, player).locator('.mask').first().waitFor()
}
/** Goes to a table; resolves with the page's player once it sits there. */
const comes = async (page: Page, path: string): Promise<string | undefined> => {
  await page.goto(path)
  await page.locator('.people [data-you="true"]').waitFor()
  return meOf(page)
}
/** Resolves once the page plays this many voices. */
const hears = (page: Page, voices: number): Promise<unknown> =>
  page.waitForFunction((voices) => {
    const playing = [...document.querySelectorAll('audio')].filter(
      ({ paused, srcObject }) => !paused && srcObject instanceof MediaStream && srcObject.getAudioTracks().length > 0,
    )
    return playing.length === voices
  }, voices)

test('with av=on two see and hear each other at once; who turns the camera off is a mask, and a reload goes on as it was', async () => {
  const room = await newRoom(program.url)
  const [ann, bob] = [
    await visitWithVideo(browser, program.url, ALLOWED),
    await visitWithVideo(browser, program.url, ALLOWED),
  ]
  const annId = await comes(ann.page, `${room}?name=Ann&av=on`)
  const bobId = await comes(bob.page, `${room}?name=Bob&av=on`)
  await moves(ann.page, bobId)
  await moves(bob.page, annId)
  await hears(ann.page, 1)
  await hears(bob.page, 1)
  await seenAs(ann.page, 'Everyone sees and hears you.')
  expect(new URL(ann.page.url()).search, 'who copies the address invites others').toBe('')
  expect(await pictureOf(ann.page, annId).count(), 'one’s own picture is nobody else’s').toBe(0)
  await seat(ann.page, annId).locator('.mirrored').waitFor()
  await bob.page.locator('.glow').first().waitFor()

  await ann.page.keyboard.press('v')
  await seenAs(ann.page, 'You are seen as a mask. Everyone hears you.')
  await masked(bob.page, annId)
  await ann.page.keyboard.press('m')
  await seenAs(ann.page, 'You are seen as a mask, and not heard.')
  await seat(bob.page, annId).locator('.mark').getByText('not heard').waitFor({ state: 'attached' })
  await ann.page.reload()
  await moves(ann.page, bobId)
  await seenAs(ann.page, 'You are seen as a mask, and not heard.')
  await ann.page.getByRole('button', { name: 'Camera' }).click()
  await moves(bob.page, annId)
  expect([...ann.trouble, ...bob.trouble]).toEqual([])
})

test('P4: by night the town sees nobody: the pictures are gone from the page, the tiles closed, and each is told by whom they are seen; by day they are back', async () => {
  const sessions = ['Cho', 'Dan', 'Eva'].map((guest) => connect({ url: program.url, guest }))
  const id = (await sessions[0]?.create('mafia', { night: 600, day: 600 })) ?? ''
  const guests = await Promise.all(sessions.map((session) => session.join<typeof mafia>(id)))
  const look = { ...ALLOWED, reducedMotion: 'no-preference' } as const
  const { page: ann } = await visitWithVideo(browser, program.url, look)
  const { page: bob } = await visitWithVideo(browser, program.url, look)
  const annId = await comes(ann, `${program.url}/play/${id}?name=Ann&av=on`)
  const bobId = await comes(bob, `${program.url}/play/${id}?name=Bob&av=on`)
  await moves(ann, bobId)
  await moves(bob, annId)
  await guests[0]?.start()
  for (const [page, other] of [
    [ann, bobId],
    [bob, annId],
  ] as const) {
    await page.locator('.mafia[data-phase="night"]').waitFor()
    await masked(page, other)
    await page.locator(`[data-player-id="${other}"] .shutter[data-closed="true"]`).waitFor()
    await seenAs(page, 'Nobody sees or hears you now.')
    await hears(page, 0)
  }
  await until(() => guests.every(({ document }) => document.game !== null), 'the night')
  const target = sessions
    .map(({ player }) => player?.id)
    .find((_, index) => guests[index]?.document.game?.role === 'citizen')
  for (const guest of guests) if (guest.document.game?.role === 'mafia') await guest.move.vote({ target: target ?? '' })
  for (const page of [ann, bob]) {
    const vote = seat(page, target).getByRole('button')
    if (await vote.isVisible()) await vote.click()
  }
  await ann.locator('.mafia[data-phase="day"]').waitFor()
  await moves(ann, bobId)
  await moves(bob, annId)
  await seenAs(ann, 'Everyone sees and hears you.')
  await ann.locator('.shutter[data-closed="true"]').first().waitFor({ state: 'detached' })
  for (const session of sessions) session.close()
}, 240_000)

test('with av=off one comes in at once, without any device, and sees and hears those who have one', async () => {
  const without = await launchChromium()
  try {
    const room = await newRoom(program.url)
    const { page: ann } = await visitWithVideo(browser, program.url, ALLOWED)
    await ann.goto(`${room}?name=Ann&av=on`)
    await seenAs(ann, 'Everyone sees and hears you.')
    const { page: bob, trouble } = await visitWithVideo(without, program.url)
    await bob.goto(`${room}?name=Bob&av=off`)
    await moves(bob, await meOf(ann))
    await seenAs(bob, 'You are seen as a mask, and not heard.')
    expect(await bob.locator('.pre-join').count()).toBe(0)
    await bob.getByRole('button', { name: 'Camera' }).click()
    await bob.getByRole('alert').getByText('camera').waitFor()
    expect(trouble).toEqual([])
  } finally {
    await without.close()
  }
})

test('who left video loads none of it, is seen as a mask, and comes back by one button', async () => {
  const room = await newRoom(program.url)
  const { page: ann } = await visitWithVideo(browser, program.url, ALLOWED)
  await ann.goto(`${room}?name=Ann&av=on`)
  await seenAs(ann, 'Everyone sees and hears you.')
  const { page: bob } = await visit(browser, program.url)
  const asked: string[] = []
  bob.on('request', (request) => asked.push(new URL(request.url()).pathname))
  await bob.goto(`${room}?name=Bob`)
  await bob.locator('.ttt-status').waitFor()
  expect(asked.filter((path) => /\/(pre-join|table-video|video|media|mediasoup)-/.test(path))).toEqual([])
  await bob.getByRole('button', { name: 'See and hear the others' }).click()
  await moves(bob, await meOf(ann))
  await bob.getByRole('button', { name: 'Devices' }).click()
  await bob.getByRole('dialog').getByRole('button', { name: 'Leave video' }).click()
  await masked(bob, await meOf(ann))
  await ann.getByRole('button', { name: 'Devices' }).click()
  await ann.getByRole('dialog').getByRole('button', { name: 'Leave video' }).click()
  await seenAs(ann, 'You are seen as a mask, and not heard.')
})

test('a screen that is shared stands large beside the board of the others, and goes when it is stopped', async () => {
  const room = await newRoom(program.url)
  const { page: ann } = await visitWithVideo(browser, program.url, ALLOWED)
  const { page: bob } = await visitWithVideo(browser, program.url, ALLOWED)
  // A headless browser has no screen: a canvas stands for it, and goes the whole way from there.
  await ann.addInitScript(() => {
    navigator.mediaDevices.getDisplayMedia = async () => {
      const canvas = document.createElement('canvas')
      Object.assign(canvas, { width: 1280, height: 720 })
      const pen = canvas.getContext('2d')
      const draw = (): void => {
        pen?.fillRect(Math.random() * 1280, Math.random() * 720, 40, 40)
        requestAnimationFrame(draw)
      }
      draw()
      return canvas.captureStream(15)
    }
  })
  await ann.goto(`${room}?name=Ann&av=off`)
  await bob.goto(`${room}?name=Bob&av=off`)
  await ann.locator('.ttt-status').waitFor()
  await ann.getByRole('button', { name: 'Share your screen' }).click()
  await bob.getByText('Ann shares a screen').waitFor()
  await bob.waitForFunction(() => (document.querySelector<HTMLVideoElement>('.screen video')?.videoWidth ?? 0) > 0)
  const box = (await bob.locator('.screen').boundingBox()) ?? expect.fail('no screen')
  expect(box.width).toBeGreaterThan(400)
  await ann.getByRole('button', { name: 'Share your screen' }).click()
  await bob.locator('.screen').waitFor({ state: 'detached' })
})

test('a browser that lets nobody be heard yet is asked again by a button', async () => {
  const room = await newRoom(program.url)
  const { page: ann } = await visitWithVideo(browser, program.url, ALLOWED)
  const { page: bob } = await visitWithVideo(browser, program.url)
  // What a test asks of a page counts as the player's doing for the browser: this one waits for a click.
  await bob.addInitScript(() => {
    let wasClicked = false
    window.addEventListener('click', () => (wasClicked = true), true)
    const { play } = HTMLMediaElement.prototype
    HTMLMediaElement.prototype.play = async function (this: HTMLMediaElement) {
      if (this instanceof HTMLAudioElement && !wasClicked) throw new DOMException('no', 'NotAllowedError')
      return play.call(this)
    }
  })
  await ann.goto(`${room}?name=Ann&av=on`)
  await bob.goto(`${room}?name=Bob&av=off`)
  const button = bob.getByRole('button', { name: 'Turn on sound' })
  await button.waitFor()
  await button.click()
  await hears(bob, 1)
  await button.waitFor({ state: 'detached' })
})

test('while the server makes video ready the page says so and is played on; video comes by itself', async () => {
  const room = await newRoom(program.url)
  const { page } = await visitWithVideo(browser, program.url, ALLOWED)
  let isReady = false
  await page.routeWebSocket(/\/v1\//, (client: WebSocketRoute) => {
    const server = client.connectToServer()
    client.onMessage((message) => {
      const frame: unknown = typeof message === 'string' ? null : decode(message)
      if (!isReady && Array.isArray(frame) && frame[0] === OP.call && frame[3] === 'media.join')
        client.send(
          Buffer.from(encode([OP.err, frame[1], 'unavailable', 'preparing', { preparing: true, progress: 0.4 }])),
        )
      else server.send(message)
    })
  })
  await page.goto(`${room}?name=Ann&av=on`)
  await page.getByRole('status').getByText('Video is being made ready on the server.').waitFor()
  expect(await page.getByRole('progressbar').getAttribute('value')).toBe('0.4')
  await seenAs(page, 'You are seen as a mask, and not heard.')
  await page.getByRole('button', { name: 'Leave', exact: true }).waitFor()
  isReady = true
  await seenAs(page, 'Everyone sees and hears you.')
  await page.getByRole('progressbar').waitFor({ state: 'detached' })
})

test('a table with video is clean by axe at both widths, by day and by night, in both languages; on a phone the devices are at the thumb', async () => {
  const room = await newRoom(program.url, 'mafia')
  const { page: ann } = await visitWithVideo(browser, program.url, ALLOWED)
  await ann.goto(`${room}?name=Ann&av=on`)
  await seenAs(ann, 'Everyone sees and hears you.')
  const found: string[] = []
  for (const width of [390, 1280])
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await visitWithVideo(browser, program.url, {
        ...ALLOWED,
        viewport: { width, height: 800 },
        colorScheme,
        locale: colorScheme === 'light' ? 'ko-KR' : 'en-US',
        bypassCSP: true,
      })
      await page.goto(`${room}?name=Bob&av=on`)
      await moves(page, await meOf(ann))
      await page.locator('.people [data-you="true"] .mirrored').waitFor()
      for (const violation of await violations(page)) found.push(`${width} ${colorScheme} ${violation}`)
      expect(await page.evaluate(() => document.documentElement.scrollWidth), 'no sideways scrolling').toBe(width)
      const devices = (await page.locator('.controls').boundingBox()) ?? expect.fail('no devices')
      if (width === 390) expect(devices.y).toBeGreaterThan(700)
      await page.locator('.controls > .tool').last().click()
      await page.locator('dialog.devices[open]').waitFor()
      for (const violation of await violations(page)) found.push(`${width} ${colorScheme} devices ${violation}`)
      await page.context().close()
    }
  expect(found).toEqual([])
}, 240_000)
