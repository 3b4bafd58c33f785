import { expect, test } from 'vitest'
import type { Command } from '../../bus/messages.ts'
import { virtualClock } from '../../test/virtual-clock.ts'
import { Lanes } from './lanes.ts'

const command = (id: number): Command => ({
  kind: 'command',
  id,
  gateway: 'gateway',
  room: 'room',
  conn: 7,
  player: { id: 'ann', name: 'Ann' },
  session: 'session',
  frames: [],
})

test('P2 an older copy acts not again for 30 s at least, and is forgotten within 60', async () => {
  const clock = virtualClock()
  const lanes = new Lanes(clock)
  const enter = (id: number) => lanes.enter(command(id), 7)
  await clock.advance(29_999)
  expect(enter(2)).toBe(true)
  lanes.leave(command(2))
  await clock.advance(30_000)
  expect(enter(1)).toBe(false)
  await clock.advance(30_001)
  expect(enter(1)).toBe(true)
  lanes.close()
})

test('a request that is worked on is remembered for as long as that takes, with what was refused of it', async () => {
  const clock = virtualClock()
  const lanes = new Lanes(clock)
  const error = Uint8Array.of(1)
  lanes.enter(command(2), 7)
  lanes.refuse(command(2), 3, error)
  await clock.advance(200_000)
  expect(lanes.enter(command(2), 7)).toBe(false)
  expect(lanes.refusal(command(2), 3)).toBe(error)
  lanes.leave(command(2))
  expect(lanes.enter(command(2), 7)).toBe(true)
  expect(lanes.refusal(command(2), 3)).toBe(error)
  lanes.enter(command(3), 7)
  lanes.refuse(command(2), 0, error)
  expect([lanes.refusal(command(3), 0), lanes.refusal(command(2), 3)]).toEqual([undefined, undefined])
  lanes.close()
})
