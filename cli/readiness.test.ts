import { expect, test } from 'vitest'
import { virtualClock } from '../test/virtual-clock.ts'
import { createLog } from './log.ts'
import { sayReadiness } from './readiness.ts'

test('a process that does not serve says so once, and once that it does again; of a moment nothing is said', async () => {
  const lines: unknown[] = []
  const clock = virtualClock()
  let isReady = true
  const roles = { isReady: () => isReady, status: () => ({ roles: ['gateway'] }) }
  const end = sayReadiness(roles, createLog('info', { write: (line) => lines.push(JSON.parse(line)) }), clock)
  const pass = async (ready: boolean, ms: number) => {
    isReady = ready
    await clock.advance(ms)
  }

  await pass(false, 4_000)
  await pass(true, 60_000)
  await pass(false, 4_000)
  await pass(true, 60_000)
  expect(lines).toEqual([])

  await pass(false, 120_000)
  expect(lines).toMatchObject([{ level: 40, roles: ['gateway'], msg: expect.stringMatching(/^not ready for 5 s: /) }])
  await pass(true, 60_000)
  expect(lines.slice(1)).toMatchObject([{ level: 30, msg: 'ready again' }])

  end()
  await pass(false, 60_000)
  expect(lines).toHaveLength(2)
  expect(clock.timers).toBe(0)
})
