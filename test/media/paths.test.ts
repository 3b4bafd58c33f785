import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { until } from '../program.ts'
import { type Allowed, expectFlows } from './flows.ts'
import { enter, type Player, publish, studioOfThisFile } from './studio.ts'

const studio = await studioOfThisFile()

const everybody: Allowed = { see: () => true, hear: () => true }

/** Ann and Bob in a room that is open, each with a camera and a microphone; of Bob's paths only these. */
const two = async (page: Page, paths: 'all' | 'tcp') => {
  const [ann, bob] = [await studio.sit(page, 'Ann'), await studio.sit(page, 'Bob')]
  await bob.frame.evaluate((paths) => seat.limit(paths), paths)
  const room = await ann.frame.evaluate(() => seat.session.create('mafia'))
  for (const each of [ann, bob]) await enter(each, room)
  for (const each of [ann, bob]) await publish(each)
  const flow = (what: string) => expectFlows(what, [ann, bob], [ann, bob], everybody, () => studio.carried(room))
  return { ann, bob, flow }
}

const pathsOf = ({ frame }: Player) => frame.evaluate(() => seat.pathsInUse())

test('where UDP does not pass, media goes over TCP', async () => {
  const page = await studio.page()
  const { ann, bob, flow } = await two(page, 'tcp')
  await flow('over TCP')
  expect((await pathsOf(bob)).map(({ protocol }) => protocol)).toEqual(['tcp', 'tcp'])
  expect((await pathsOf(ann)).map(({ protocol }) => protocol)).toEqual(['udp', 'udp'])
}, 240_000)

test('when the network comes back, ICE is restarted on the same connections, and media goes on', async () => {
  const page = await studio.page()
  const { ann, flow } = await two(page, 'all')
  await flow('before')
  const before = await pathsOf(ann)
  const connections = await ann.frame.evaluate(() => seat.connections)
  await page.context().setOffline(true)
  await ann.frame.waitForFunction(() => seat.session.state.current.status === 'offline')
  await page.context().setOffline(false)
  await until(async () => {
    const paths = await pathsOf(ann)
    return paths.length === 2 && paths.every(({ ufrag }) => before.every((old) => old.ufrag !== ufrag))
  }, 'ICE to be restarted')
  await flow('after')
  expect(await ann.frame.evaluate(() => seat.connections), 'no new connection').toBe(connections)
}, 180_000)
