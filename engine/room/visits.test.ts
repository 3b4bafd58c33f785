import { expect, test } from 'vitest'
import { virtualClock } from '../../test/virtual-clock.ts'
import { Visits } from './visits.ts'

const start = () => {
  const clock = virtualClock()
  const ended: string[] = []
  const visits = new Visits(clock, ({ player, session }) => ended.push(`${player} ${session}`))
  const watch = (player: string, session = 's', ms = 10_000) => {
    visits.stay({ player, session, role: 'spectator' }, ms, 0)
    visits.follow(player, session, false)
  }
  return { clock, ended, visits, watch }
}

const frame = (n: number) => ({ frame: Uint8Array.of(n), by: null, isWelcome: false })
const WATCHING = { player: '', role: 'spectator' } as const

test('a visit ends when its time is over, and not before where it was prolonged, also by less', async () => {
  const { clock, ended, visits, watch } = start()
  watch('ann')
  watch('bob', 's', 30_000)
  watch('bob', 's', 1_000)
  await clock.advance(9_999)
  expect([ended, visits.spectators]).toEqual([[], 2])
  await clock.advance(1)
  expect([ended, visits.spectators]).toEqual([['ann s'], 1])
  await clock.advance(19_999)
  expect(visits.watches('bob')).toBe(true)
  await clock.advance(1)
  expect([visits.size, visits.spectators, [...visits.viewers()]]).toEqual([0, 0, []])
})

test('P5 bounded: a player visits with 8 sessions, a room is visited by 20,000, and who was seen longest ago gives way', () => {
  const { ended, visits, watch } = start()
  for (let n = 1; n <= 9; n++) watch('ann', `s${n}`, n === 1 ? 20_000 : 10_000)
  expect(ended).toEqual(['ann s2'])
  visits.stay({ player: 'bob', session: 's', role: 'player' }, 10_000, 0)
  for (let n = 0; n < 20_000; n++) {
    watch(`w${n}`)
    if (n === 10) watch('ann', 's1')
  }
  expect(visits.size).toBe(20_000)
  expect(visits.watches('bob')).toBe(true)
  expect([visits.has('ann', 's1'), visits.has('ann', 's3'), visits.watches('w0')]).toEqual([true, false, false])
  expect(visits.spectators).toBe(19_999)
})

test('P5 bounded: ten thousand visitors have one backlog between them, and one timer', async () => {
  const { clock, visits, watch } = start()
  let timers = 0
  const { after } = clock
  clock.after = (ms, task) => {
    timers += 1
    return after.call(clock, ms, task)
  }
  for (let n = 0; n < 10_000; n++) watch(`w${n}`)
  expect([...visits.viewers()]).toEqual([WATCHING])
  const kept = frame(1)
  visits.keep(WATCHING, kept)
  expect(visits.read('w1', 's')[0]).toBe(kept)
  expect(visits.read('w9999', 's')[0]).toBe(kept)
  expect(visits.read('w1', 's')).toEqual([])
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000)
    for (let n = 0; n < 10_000; n++) watch(`w${n}`)
  }
  expect(visits.size).toBe(10_000)
  expect(timers).toBeLessThan(20)
})

test('P4 private: who takes a seat reads nothing of what was kept for spectators, and who watches nothing of a player', () => {
  const { visits, watch } = start()
  watch('ann')
  watch('bob')
  visits.keep(WATCHING, frame(1))
  visits.stay({ player: 'ann', session: 's', role: 'player' }, 10_000, 0)
  visits.follow('ann', 's', false)
  visits.keep({ player: 'ann', role: 'player' }, frame(2))
  expect(visits.read('ann', 's').map((kept) => kept.frame[0])).toEqual([2])
  expect(visits.read('bob', 's').map((kept) => kept.frame[0])).toEqual([1])
  expect(visits.spectators).toBe(1)
})

test('while its session has a connection a visitor is kept nothing, and is not counted', () => {
  const { visits, watch } = start()
  watch('ann')
  visits.keep(WATCHING, frame(1))
  visits.follow('ann', 's', true)
  visits.keep(WATCHING, frame(2))
  expect([visits.read('ann', 's'), visits.spectators]).toEqual([[], 0])
  visits.follow('ann', 's', false)
  visits.keep(WATCHING, frame(3))
  expect([visits.read('ann', 's').map((kept) => kept.frame[0]), visits.spectators]).toEqual([[3], 1])
})
