import { networkInterfaces } from 'node:os'
import { afterAll, expect, test } from 'vitest'
import { FIREFOX, launchFirefox } from '../browser/firefox.ts'
import { type Allowed, expectFlows } from './flows.ts'
import { enter, publish, studioOfThisFile, type Viewer } from './studio.ts'

/** Firefox sends nothing from or to 127.0.0.1: this machine's own address, by which nothing leaves it either. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address
const studio = await studioOfThisFile('--media-ip', address ?? '127.0.0.1')
/** Devices that are none, and no question whether they may be used. */
const firefox =
  FIREFOX === null || address === undefined
    ? null
    : await launchFirefox({
        'media.navigator.streams.fake': true,
        'media.navigator.permission.disabled': true,
      })
afterAll(() => firefox?.close())

const everybody: Allowed = { see: () => true, hear: () => true }

test.skipIf(firefox === null)(
  'a Firefox and two Chromiums see and hear each other',
  async () => {
    const page = await studio.page()
    const [ann, bob] = [await studio.sit(page, 'Ann'), await studio.sit(page, 'Bob')]
    const room = await ann.frame.evaluate(() => seat.session.create('mafia'))
    const { page: own } = firefox ?? expect.fail()
    await own.goto(`${studio.origin}/seat`)
    const id = await own.evaluate((url) => seat.sit(url, 'Fay'), studio.program.url)
    const fay: Viewer = { name: 'Fay', id, frame: { evaluate: (run) => own.evaluate(run, undefined) } }
    for (const each of [ann, bob]) await enter(each, room)
    await own.evaluate((room) => seat.enter(room), room)
    const everyone = [ann, bob, fay]
    for (const each of everyone) await publish(each)
    await expectFlows('a Firefox among them', everyone, everyone, everybody, () => studio.carried(room))
  },
  180_000,
)
