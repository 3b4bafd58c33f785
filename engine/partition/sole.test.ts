import { expect, test, vi } from 'vitest'
import { PARTITIONS } from '../../bus/subjects.ts'
import { soleOwnership } from './sole.ts'

test('the only engine owns every partition at once, with its epoch, and is sure of it', async () => {
  const ownership = soleOwnership(7)
  const own = vi.fn()
  await ownership.start({ own, release: async () => {}, lose: () => {} })
  expect(own.mock.calls).toEqual([[new Map(Array.from({ length: PARTITIONS }, (_, p) => [p, 7]))]])
  expect(ownership.isSure).toBe(true)
  expect(ownership.engines).toBe(1)
  await ownership.sure()
})

test('when it leaves it releases every partition side by side, once, and waits for all', async () => {
  const ownership = soleOwnership(7)
  const released = new Map<number, () => void>()
  const release = (partition: number) => new Promise<void>((resolve) => released.set(partition, resolve))
  await ownership.start({ own: () => {}, release, lose: () => {} })
  let left = false
  const leaving = ownership.leave().then(() => {
    left = true
  })
  expect(released.size).toBe(PARTITIONS)
  for (const [partition, resolve] of released) if (partition > 0) resolve()
  await new Promise((resolve) => setImmediate(resolve))
  expect(left).toBe(false)
  released.get(0)?.()
  await leaving
  released.clear()
  await ownership.leave()
  expect(released.size).toBe(0)
})
