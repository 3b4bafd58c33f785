import { expect, test } from 'vitest'
import { encode } from '../../protocol/codec.ts'
import { CLOSE } from '../../protocol/errors.ts'
import { OP } from '../../protocol/frames.ts'
import { virtualClock } from '../../test/virtual-clock.ts'
import { Topics } from '../topics.ts'
import { HeldPoll } from './held-poll.ts'

/** Ends a poll of `waitMs` at once; gives after how long it is answered. */
const answeredAfter = async (waitMs: number, end: (poll: HeldPoll) => void): Promise<number> => {
  const clock = virtualClock()
  const poll = new HeldPoll('r', new Topics(), clock, waitMs)
  const began = clock.now()
  let after = Number.NaN
  void poll.ended.then(() => {
    after = clock.now() - began
  })
  end(poll)
  for (let ms = 0; ms < 5_000 && Number.isNaN(after); ms += 100) await clock.advance(100)
  return after
}

test('P5 a poll that newer ones of its player push out is answered a second later, or at the end of its wait: they do not go in a circle', async () => {
  expect(await answeredAfter(25_000, (poll) => poll.end(CLOSE.takenOver))).toBe(1_000)
  expect(await answeredAfter(300, (poll) => poll.end(CLOSE.takenOver))).toBe(300)
  expect(await answeredAfter(25_000, (poll) => poll.end(CLOSE.restarting))).toBeLessThanOrEqual(100)
})

test('a poll that is told BYE is answered when its client is to come back, or at the end of its wait', async () => {
  const bye = (retryAfter?: number) =>
    encode([OP.bye, 'restarting', { ...(retryAfter && { retryAfter }), resume: true }])
  expect(await answeredAfter(25_000, (poll) => poll.send(bye(2_300)))).toBe(2_300)
  expect(await answeredAfter(400, (poll) => poll.send(bye(2_300)))).toBe(400)
  expect(await answeredAfter(25_000, (poll) => poll.send(bye()))).toBeLessThanOrEqual(100)
})
