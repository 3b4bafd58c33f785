import { expect, test } from 'vitest'
import { busConformance } from './conformance.ts'
import { localBus } from './local.ts'
import type { Ask } from './messages.ts'

busConformance('the bus within one process', { open: async (onError) => localBus({ onError }) })

const message: Ask = { kind: 'ask', gateway: 'g', id: 1, about: { type: 'games' } }

test('what was published before close and not yet delivered is dropped', async () => {
  const bus = localBus()
  let got = 0
  bus.subscribe('a', () => got++)
  bus.publish('a', message)
  await bus.close()
  await Promise.resolve()
  expect(got).toBe(0)
})

test('a handler that unsubscribes another one within the same message spares it that message', async () => {
  const bus = localBus()
  let got = 0
  const ends: (() => void)[] = []
  bus.subscribe('a', () => ends.forEach((end) => void end()))
  ends.push(bus.subscribe('a', () => got++))
  bus.publish('a', message)
  await Promise.resolve()
  expect(got).toBe(0)
})
