import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { virtualClock } from './virtual-clock.ts'

describe('virtual clock', () => {
  test('runs timers by the time they are due, those due together in the order they were set', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 60 }), async (delays) => {
        const clock = virtualClock()
        const start = clock.now()
        const ran: { index: number; at: number }[] = []
        for (const [index, delay] of delays.entries()) {
          clock.after(delay, () => ran.push({ index, at: clock.now() - start }))
        }
        await clock.advance(20)
        const expected = delays.map((at, index) => ({ index, at })).sort((a, b) => a.at - b.at || a.index - b.index)
        expect(ran).toEqual(expected)
        expect(clock.timers).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  test('runs what is put off before the next timer, and follows promises to their end after each task', async () => {
    const clock = virtualClock()
    const order: string[] = []
    const later = async (name: string): Promise<void> => {
      for (let i = 0; i < 20; i++) await null
      order.push(name)
    }
    clock.after(1, () => {
      clock.soon(() => order.push('soon 1'))
      clock.soon(() => order.push('soon 2'))
      void later('promise')
    })
    clock.after(1, () => order.push('timer'))
    await clock.advance(1)
    expect(order).toEqual(['promise', 'soon 1', 'soon 2', 'timer'])
  })

  test('a cancelled timer does not run, and cancelling late is harmless', async () => {
    const clock = virtualClock()
    let ran = 0
    const cancel = clock.after(5, () => ran++)
    const late = clock.after(6, () => ran++)
    cancel()
    cancel()
    await clock.advance(10)
    late()
    expect(ran).toBe(1)
    expect(clock.timers).toBe(0)
  })

  test('runs until a condition holds and no longer, and says so when it cannot', async () => {
    const clock = virtualClock()
    const start = clock.now()
    let ticks = 0
    const tick = (): void => {
      ticks++
      clock.after(100, tick)
    }
    clock.after(100, tick)
    await clock.runUntil(() => ticks === 3)
    expect(clock.now() - start).toBe(300)
    await expect(clock.runUntil(() => false, 1_000)).rejects.toThrow('within 1000 ms')
    await expect(virtualClock().runUntil(() => false)).rejects.toThrow('nothing is left to run')
  })

  test('a throwing task rejects, and the clock goes on', async () => {
    const clock = virtualClock()
    clock.after(1, () => {
      throw new Error('boom')
    })
    await expect(clock.advance(2)).rejects.toThrow('boom')
    let ran = false
    clock.after(1, () => {
      ran = true
    })
    await clock.advance(2)
    expect(ran).toBe(true)
  })

  test('a seed draws the order of timers due together: the same for the same seed', async () => {
    const order = async (seed: number): Promise<number[]> => {
      const clock = virtualClock(seed)
      const ran: number[] = []
      for (let i = 0; i < 10; i++) clock.after(1, () => ran.push(i))
      await clock.advance(1)
      return ran
    }
    expect(await order(7)).toEqual(await order(7))
    expect(await order(7)).not.toEqual(await order(8))
  })
})
