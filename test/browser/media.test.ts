import type { Page } from 'playwright-core'
import { afterAll, afterEach, expect, test } from 'vitest'
import { connect } from '../../client/client.ts'
import { type ProgramOfFile, programOfThisFile } from '../wire/program.ts'
import { chromiumWithDevices, pageInRoom, publish, received, sdkOfThisFile } from './media-page.ts'

const sdk = await sdkOfThisFile()
const program = await programOfThisFile('--origins', sdk)
const browser = await chromiumWithDevices()
afterAll(() => browser.close())
afterEach(async () => {
  for (const context of browser.contexts()) await context.close()
})

const newRoom = async (): Promise<string> => {
  const session = connect({ url: program.url, guest: 'Host' })
  const room = await session.create('tictactoe')
  session.close()
  return room
}

/** Ann and Ben in a room of their own. */
const inRoom = async (): Promise<{ ann: Page; ben: Page }> => {
  const room = await newRoom()
  const [ann, ben] = await Promise.all(
    (['Ann', 'Ben'] as const).map((name) => pageInRoom(browser, { sdk, server: program.url, name, room })),
  )
  if (!ann || !ben) throw new Error('somebody is missing')
  return { ann, ben }
}

/** Both with camera and microphone. */
const two = async (): Promise<{ ann: Page; ben: Page }> => {
  const { ann, ben } = await inRoom()
  await Promise.all([publish(ann), publish(ben)])
  return { ann, ben }
}

/** The process ids of the media workers that it started. */
const workersOf = ({ output }: ProgramOfFile): number[] =>
  [...output().matchAll(/"pid":(\d+),"port":\d+,"msg":"a media worker is up"/g)].map(([, pid]) => Number(pid))

/** Resolves once the page has received more of both, in pictures that were decoded and sound that was heard. */
const grows = async (page: Page): Promise<void> => {
  const before = await received(page)
  await expect
    .poll(
      async () => {
        const { camera, microphone } = await received(page)
        return (
          (camera?.frames ?? 0) > (before.camera?.frames ?? 0) + 5 &&
          (microphone?.bytes ?? 0) > (before.microphone?.bytes ?? 0) &&
          (microphone?.energy ?? 0) > (before.microphone?.energy ?? 0)
        )
      },
      { timeout: 20_000 },
    )
    .toBe(true)
}

/** Resolves once nothing of this source has come for a second. */
const stands = async (page: Page, source: string): Promise<void> => {
  const bytes = async (): Promise<number> => (await received(page))[source]?.bytes ?? 0
  await expect
    .poll(
      async () => {
        const before = await bytes()
        await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_000)))
        return (await bytes()) - before
      },
      { timeout: 20_000 },
    )
    .toBe(0)
}

/** What the page shows of the only other one there. */
const shown = (page: Page) =>
  page.evaluate(() => {
    const [other] = window.room.media.streams.current.values()
    return other && { camera: other.camera, microphone: other.microphone, muted: [...other.muted] }
  })

test('two players see and hear each other', async () => {
  const { ann, ben } = await two()
  await Promise.all([grows(ann), grows(ben)])
})

test('who mutes is not heard and is shown as muted, and is heard again after', async () => {
  const { ann, ben } = await two()
  await grows(ann)
  await ben.evaluate(() => window.room.media.mute('microphone', true))
  await expect.poll(() => shown(ann)).toEqual({ camera: true, microphone: true, muted: ['microphone'] })
  await stands(ann, 'microphone')
  await ben.evaluate(() => window.room.media.mute('microphone', false))
  await expect.poll(() => shown(ann)).toEqual({ camera: true, microphone: true, muted: [] })
  await grows(ann)
  await ben.evaluate(() => window.room.media.unpublish('camera'))
  await expect.poll(() => shown(ann)).toEqual({ camera: false, microphone: true, muted: [] })
  await ben.evaluate(() => window.room.media.leave())
  await expect.poll(() => shown(ann)).toBeUndefined()
})

test('a screen and its sound come beside the camera', async () => {
  const { ann, ben } = await inRoom()
  await Promise.all([publish(ben), ann.evaluate(() => window.room.media.join())])
  await ben.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 })
    const pen = canvas.getContext('2d')
    setInterval(() => pen?.fillRect(Math.random() * 640, Math.random() * 480, 20, 20), 50)
    const context = new AudioContext()
    const sound = context.createMediaStreamDestination()
    const tone = context.createOscillator()
    tone.connect(sound)
    tone.start()
    const [screen] = canvas.captureStream(20).getVideoTracks()
    await window.room.media.publish({ screen, 'screen-audio': sound.stream.getAudioTracks()[0] })
  })
  await grows(ann)
  await expect.poll(async () => (await received(ann)).screen?.frames, { timeout: 20_000 }).toBeGreaterThan(5)
  await expect
    .poll(async () => (await received(ann))['screen-audio']?.bytes, { timeout: 20_000 })
    .toBeGreaterThan(1_000)
  expect((await received(ann)).screen?.width).toBe(640)
})

test('a tile gets the picture that its size needs, and none off screen', async () => {
  const { ann, ben } = await inRoom()
  await Promise.all([publish(ben, { width: 1280, height: 720 }), ann.evaluate(() => window.room.media.join())])
  const show = (width: number): Promise<void> =>
    ann.evaluate((width) => {
      const [player] = window.room.media.streams.current.keys()
      if (player !== undefined) window.room.media.show(player, 'camera', width)
    }, width)
  const width = async (): Promise<number | undefined> => (await received(ann)).camera?.width
  await grows(ann)
  await show(300)
  await expect.poll(width, { timeout: 20_000 }).toBe(320)
  await show(1_280)
  await expect.poll(width, { timeout: 30_000 }).toBe(1_280)
  await show(0)
  await stands(ann, 'camera')
  await show(300)
  await grows(ann)
})

test('both go on by themselves over a network that changed, and after the worker died', async () => {
  const { ann, ben } = await two()
  await Promise.all([grows(ann), grows(ben)])
  const before = await ann.evaluate(() => window.fragments())
  await ann.context().setOffline(true)
  await ann.context().setOffline(false)
  await expect.poll(() => ann.evaluate(() => window.fragments())).not.toEqual(before)
  await Promise.all([grows(ann), grows(ben)])
  // It may be live again within a few milliseconds.
  const fell = ann.evaluate(
    () =>
      new Promise<void>((resolve) => {
        window.room.media.state.subscribe(({ status }) => status === 'reconnecting' && resolve())
      }),
  )
  await ann.evaluate(() => {})
  for (const pid of workersOf(program)) process.kill(pid, 'SIGKILL')
  await fell
  for (const page of [ann, ben]) {
    await expect
      .poll(() => page.evaluate(() => window.room.media.state.current.status), { timeout: 20_000 })
      .toBe('live')
    await grows(page)
  }
})
