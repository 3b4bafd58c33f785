import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openEnd } from '../bus/testing/nats.ts'
import { type NatsServer, startNats } from '../test/nats-server.ts'
import { Client } from './testing/client.ts'
import { closed, open, playerOf } from './testing/engine.ts'
import { endAll, startNodes } from './testing/node.ts'

const SOON = { timeout: 20_000, interval: 20 }

let server: NatsServer
const ends: (() => Promise<void>)[] = []
beforeAll(async () => {
  server = await startNats()
})
afterAll(() => server.stop())
afterEach(async () => {
  await endAll()
  for (const end of ends.splice(0)) await end()
})

const busOverNats = async () => {
  const end = await openEnd([server])
  ends.push(async () => {
    await end[Symbol.asyncDispose]()
    expect(end.errors).toEqual([])
  })
  return end.bus
}

test('nodes that know each other through NATS alone bring tracks to each other, both ways, and stop with the policy', async () => {
  const [bus, m1, m2] = [await busOverNats(), await busOverNats(), await busOverNats()]
  const { engine, nodes } = startNodes(['m1', 'm2'], { bus }, { m1, m2 })
  const [home, other] = nodes
  if (home === undefined || other === undefined) throw new Error('no nodes')
  engine.place('bob', 'm2')
  const [ann, bob] = [new Client(engine, playerOf('ann')), new Client(engine, playerOf('bob'))]
  await vi.waitFor(() => expect(engine.beats.length).toBeGreaterThanOrEqual(2), SOON)
  await engine.lease(open('ann', 'bob'))
  for (const client of [ann, bob]) await client.join()
  const [camera, voice] = [await ann.publish('camera'), await bob.publish('microphone')]
  await vi.waitFor(() => {
    expect(bob.states.at(-1)?.tracks).toMatchObject([{ track: camera }])
    expect(ann.states.at(-1)?.tracks).toMatchObject([{ track: voice }])
  }, SOON)
  const [seen, heard] = await Promise.all([bob.watch(camera), ann.watch(voice)])
  const push = async () => {
    home.links.push(camera)
    other.links.push(voice)
    await Promise.all([home.links.drained(), other.links.drained()])
  }
  const received = () => [other.links.received(seen), home.links.received(heard)]
  const flow = async () => {
    const before = received()
    await vi.waitFor(async () => {
      await push()
      for (const [at, packets] of received().entries()) expect(packets).toBeGreaterThan(before[at] ?? 0)
    }, SOON)
  }
  await flow()
  await engine.lease(closed('ann', 'bob'))
  await push()
  const before = received()
  for (let i = 0; i < 20; i++) await push()
  expect(received()).toEqual(before)
  await engine.lease(open('ann', 'bob'))
  await flow()
})
