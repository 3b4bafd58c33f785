import { expect, test } from 'vitest'
import { decode, encode } from '../protocol/codec.ts'
import { OP } from '../protocol/frames.ts'
import { rig } from './testing/rig.ts'

const ann = { player: { id: 'ann', name: 'ann' }, guest: false, session: 'session-of-ann-000' }

test('no answer from the room in time: unavailable for its frames and all behind them, which were not sent', async () => {
  const { gateway, engine, time } = rig()
  engine.onRequest = (request) => {
    if (request.kind !== 'command') return
    engine.say({ ...engine.answer(request, [[OP.ok, 1, null]]), done: false })
  }
  const frames = [
    [5, 1, 'r', 'mark'],
    [5, 2, 'r', 'mark'],
    [6, 'r', 'stroke'],
    [5, 3, 'q', 'mark'],
    [8, 7],
  ]
  const answers = gateway.post(
    ann,
    '127.0.0.1',
    frames.map((frame) => encode(frame)),
  )
  await time.advance(10_000)
  const decoded = ((await answers) ?? []).map((bytes) => decode(bytes))
  expect(decoded).toEqual([
    [33, 1, null],
    [34, 2, 'unavailable', expect.stringContaining('same ref')],
    [34, 3, 'unavailable', expect.stringContaining('same ref')],
    [39, 7, expect.any(Number)],
  ])
  expect(new Set(engine.commands.map(({ room }) => room))).toEqual(new Set(['r']))
  expect(new Set(engine.commands.map(({ id }) => id)).size).toBe(1)
  expect(gateway.held().requests).toBe(0)
})
