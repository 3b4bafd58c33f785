import { expect, test } from 'vitest'
import { virtualClock } from '../test/virtual-clock.ts'
import { createLog } from './log.ts'
import { watchReadiness } from './readiness.ts'

test('a process that does not serve says so once, tries another way to the others now and then, and says once that it serves again; of a moment nothing is said', async () => {
  const lines: unknown[] = []
  const clock = virtualClock()
  let isReady = true
  const moves: number[] = []
  const moveOn = () => void moves.push(clock.now())
  const roles = { isReady: () => isReady, moveOn, status: () => ({ roles: ['gateway'] }) }
  const end = watchReadiness(roles, createLog('info', { write: (line) => lines.push(JSON.parse(line)) }), clock)
  const pass = async (ready: boolean, ms: number) => {
    isReady = ready
    await clock.advance(ms)
  }

  await pass(false, 4_000)
  await pass(true, 60_000)
  await pass(false, 4_000)
  await pass(true, 60_000)
  expect([lines, moves]).toEqual([[], []])

  const from = clock.now()
  await pass(false, 120_000)
  expect(moves.map((at) => at - from)).toEqual([10_000, 20_000, 40_000, 60_000, 120_000])
  expect(lines).toMatchObject([{ level: 40, roles: ['gateway'], msg: expect.stringMatching(/^not ready for 5 s: /) }])
  await pass(true, 60_000)
  expect(lines.slice(1)).toMatchObject([{ level: 30, msg: 'ready again' }])

  end()
  await pass(false, 60_000)
  expect(lines).toHaveLength(2)
  expect(clock.timers).toBe(0)
})
