import { afterEach, expect, test, vi } from 'vitest'
import { virtualClock } from '../test/virtual-clock.ts'
import { Speaking } from './speaking.ts'
import { Client } from './testing/client.ts'
import { open, playerOf } from './testing/engine.ts'
import { endAll, startNode } from './testing/node.ts'

const SOON = { timeout: 20_000, interval: 20 }

afterEach(endAll)

const talk = (push: () => void): (() => void) => {
  const timer = setInterval(push, 20)
  return () => clearInterval(timer)
}

test('who speaks is told to those who may hear it, not to the others, at most four times a second; the engine hears who is loudest, and when nobody is', async () => {
  const { engine, links } = startNode()
  const everyone = open('ann', 'bob', 'cyd')
  await engine.lease({ ...everyone, viewers: { ...everyone.viewers, cyd: { see: ['ann', 'bob'], hear: [] } } })
  const [ann, bob, cyd] = [
    new Client(engine, playerOf('ann')),
    new Client(engine, playerOf('bob')),
    new Client(engine, playerOf('cyd')),
  ]
  for (const client of [ann, bob, cyd]) await client.join()
  const track = await ann.publish('microphone')
  const began = performance.now()
  const stop = talk(() => links.push(track))
  try {
    await vi.waitFor(() => expect(engine.speakers.at(-1)?.player).toBe('ann'), SOON)
    await vi.waitFor(
      () => expect(engine.told(bob.who, 'speaking').at(-1)).toEqual({ players: { ann: expect.closeTo(0.65, 1) } }),
      SOON,
    )
  } finally {
    stop()
  }
  await vi.waitFor(() => expect(engine.speakers.at(-1)?.player).toBe(null), SOON)
  await vi.waitFor(() => expect(engine.told(bob.who, 'speaking').at(-1)).toEqual({ players: {} }), SOON)
  expect(engine.told(bob.who, 'speaking').length).toBeLessThanOrEqual(2 + ((performance.now() - began) / 1_000) * 4)
  expect(engine.told(cyd.who, 'speaking')).toEqual([])
  expect(engine.told(ann.who, 'speaking'), 'nobody hears herself').toEqual([])
  expect(engine.speakers.map(({ player }) => player)).toEqual(['ann', null])
})

test('whoever may not be heard any more is told as silent at once', async () => {
  const { engine, links } = startNode()
  await engine.lease(open('ann', 'bob'))
  const [ann, bob] = [new Client(engine, playerOf('ann')), new Client(engine, playerOf('bob'))]
  await ann.join()
  await bob.join()
  const track = await ann.publish('microphone')
  const stop = talk(() => links.push(track))
  try {
    await vi.waitFor(() => expect(engine.told(bob.who, 'speaking')).not.toEqual([]), SOON)
    const policy = open('ann', 'bob')
    await engine.lease({ ...policy, viewers: { ...policy.viewers, bob: { see: ['ann'], hear: [] } } })
    await vi.waitFor(() => expect(engine.told(bob.who, 'speaking').at(-1)).toEqual({ players: {} }), SOON)
  } finally {
    stop()
  }
})

test('however often there is something to tell, it is told at once and then every 250 ms', async () => {
  const clock = virtualClock()
  let told = 0
  const speaking = new Speaking({ clock, trackOf: () => undefined, onLevels: () => told++, onSpeaker: () => {} })
  for (let i = 0; i < 100; i++) {
    speaking.tell()
    await clock.advance(10)
  }
  expect(told).toBe(5)
  speaking.tell()
  expect(told).toBe(5)
  await clock.advance(250)
  expect(told, 'the last one too').toBe(6)
})
