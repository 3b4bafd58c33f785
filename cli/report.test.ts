import { expect, test } from 'vitest'
import { z } from 'zod'
import { virtualClock } from '../test/virtual-clock.ts'
import { createLog } from './log.ts'
import { reportTo } from './report.ts'

const Line = z.object({ level: z.number(), msg: z.string(), room: z.string().optional(), more: z.number().optional() })

test('what befalls thousands of rooms at once is a few lines and a number, and other lines are not lost among them', async () => {
  const lines: z.infer<typeof Line>[] = []
  const clock = virtualClock()
  const report = reportTo(createLog('info', { write: (line) => lines.push(Line.parse(JSON.parse(line))) }), clock)
  const loss = (room: number) =>
    report('error', `a record was not stored: room r${room} waits for NATS`, { room: `r${room}` })

  for (let room = 0; room < 5_000; room += 1) loss(room)
  report('warn', 'a gateway is gone: its connections here have ended', { ended: 3 })
  expect(lines).toHaveLength(21)
  expect(lines[0]).toMatchObject({ level: 50, room: 'r0', msg: 'a record was not stored: room r0 waits for NATS' })
  expect(lines.at(-1)).toMatchObject({ level: 40, msg: 'a gateway is gone: its connections here have ended' })

  await clock.advance(10_000)
  expect(lines.slice(21)).toEqual([{ level: 50, more: 4_980, msg: 'a record was not stored: 4980 more within 10 s' }])
  loss(1)
  await clock.advance(10_000)
  expect(lines.slice(22)).toMatchObject([{ room: 'r1' }])
})
