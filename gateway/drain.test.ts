import { expect, test } from 'vitest'
import { HeldPoll } from './http/held-poll.ts'
import { rig } from './testing/rig.ts'
import { Topics } from './topics.ts'

/** When each of so many clients is told to come back, in the order of those times. */
const returns = async (count: number): Promise<number[]> => {
  const { connect, settle, gateway } = rig({
    // Not what tests usually have: that counts, and would spread by itself.
    chance: { uint32: () => Math.trunc(Math.random() * 2 ** 32), bytes: (n) => new Uint8Array(n) },
  })
  const clients = Array.from({ length: count }, () => connect())
  void gateway.drain()
  await settle()
  return clients
    .map(({ received }) => {
      expect(received).toEqual([[41, 'restarting', { retryAfter: expect.any(Number), resume: true }]])
      const [, , more] = received[0] ?? []
      return Number(Reflect.get(Object(more), 'retryAfter'))
    })
    .toSorted((a, b) => a - b)
}

test('10,000 clients come back evenly over 4 s, before the 5 s after which players are dropped', async () => {
  const times = await returns(10_000)
  expect(times[0]).toBeGreaterThanOrEqual(0)
  expect(times.at(-1)).toBeLessThan(4_000)
  const perTenth = Array.from({ length: 40 }, (_, i) => times.filter((ms) => Math.floor(ms / 100) === i).length)
  expect(Math.min(...perTenth)).toBeGreaterThan(240)
  expect(Math.max(...perTenth)).toBeLessThan(260)
})

test('few clients come back within a quarter of a second, and never more than 2,500 a second', async () => {
  for (const [count, spread] of [
    [1, 250],
    [20, 250],
    [2_500, 1_000],
  ] as const) {
    const times = await returns(count)
    expect(times.at(-1)).toBeLessThan(spread)
    if (count > 1) expect(times.at(-1)).toBeGreaterThanOrEqual(spread * 0.9)
  }
})

test('who comes while a server drains is sent away at once, for no longer than the others', async () => {
  const { connect, member, settle, gateway, engine } = rig()
  const ann = await member('ann', 'room')
  engine.onRequest = () => {}
  ann.send([5, 2, 'room', 'a'])
  void gateway.drain()
  const late = connect()
  await settle()
  expect(late.received).toEqual([[41, 'restarting', { retryAfter: expect.any(Number), resume: true }]])
  expect(Number(Reflect.get(Object(late.received[0]?.[2]), 'retryAfter'))).toBeLessThan(250)
  expect(late.closed?.code).toBe(1012)
})

test('polls that are held are answered when their clients are to come back, spread as the others; a WebSocket ends at once', async () => {
  const { member, time, settle, gateway } = rig()
  const ann = await member('ann', 'room')
  const began = time.now()
  const answered: number[] = []
  for (let n = 0; n < 1_999; n++) {
    const poll = new HeldPoll('room', new Topics(), time, 25_000)
    const who = { player: { id: `p${n}`, name: '' }, guest: true, session: `session-of-p${n}-000000` }
    poll.peer = gateway.hold({ who, room: 'room', since: 1, presenceMs: 35_000 }, poll, '').peer
    void poll.ended.then(() => answered.push(time.now() - began))
  }
  await settle()
  let drainedAt = 0
  void gateway.drain().then(() => {
    drainedAt = time.now() - began
  })
  await settle()
  expect(ann.closed?.code).toBe(1012)
  expect(answered.length).toBeLessThan(10)
  await time.advance(400)
  expect(Math.abs(answered.length - 1_000)).toBeLessThan(20)
  await time.advance(500)
  expect(answered).toHaveLength(1_999)
  expect(Math.max(...answered)).toBeLessThan(800)
  expect(drainedAt).toBeGreaterThanOrEqual(Math.max(...answered))
  expect(drainedAt).toBeLessThan(900)
  expect(gateway.held().connections).toBe(0)
})
