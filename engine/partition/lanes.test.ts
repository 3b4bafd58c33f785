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
  const lane = enter(2)
  expect(lane).not.toBeNull()
  if (lane !== null) lane.isOpen = false
  await clock.advance(30_000)
  expect(enter(1)).toBeNull()
  await clock.advance(30_001)
  expect(enter(1)).not.toBeNull()
  lanes.close()
})

test('a request that is worked on is remembered for as long as that takes, with what is kept for its copies', async () => {
  const clock = virtualClock()
  const lanes = new Lanes(clock)
  const kept = new Map([[3, Uint8Array.of(1)]])
  const lane = lanes.enter(command(2), 7)
  if (lane !== null) lane.kept = kept
  await clock.advance(200_000)
  expect(lanes.enter(command(2), 7)).toBeNull()
  if (lane !== null) lane.isOpen = false
  expect(lanes.enter(command(2), 7)?.kept).toBe(kept)
  expect(lanes.enter(command(3), 7)?.kept).toBeNull()
  lanes.close()
})
