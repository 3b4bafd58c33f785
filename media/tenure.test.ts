import { expect, test } from 'vitest'
import type { MediaLease } from '../bus/media-messages.ts'
import { type VirtualClock, virtualClock } from '../test/virtual-clock.ts'
import { Heartbeat } from './heartbeat.ts'
import { Tenure } from './tenure.ts'
import { closed, open } from './testing/engine.ts'

const ALL = open('ann', 'bo')
const NOBODY = closed('ann', 'bo')
const ANN = { player: 'ann', role: 'player' } as const
const FACE = { player: 'bo', kind: 'video' } as const

const arrange = () => {
  const clock = virtualClock()
  const heartbeat = new Heartbeat(clock)
  const ends: number[] = []
  const tenure = new Tenure(clock, heartbeat, () => ends.push(clock.elapsed()))
  const lease = (said: Partial<MediaLease>): boolean => {
    const { policy = ALL, seq = 1, epoch = 1, beat = 1 } = said
    const whole: MediaLease = {
      kind: 'media-lease',
      room: 'r',
      engine: 'e',
      nodes: ['m'],
      hash: JSON.stringify(policy),
      ...{ policy, seq, epoch, beat },
    }
    return tenure.believes(whole) && tenure.renew(whole)
  }
  return { clock, heartbeat, tenure, ends, lease, flows: () => tenure.grants.may(ANN, FACE) }
}

/** Ms from now until nothing flows. */
const untilNothingFlows = async (clock: VirtualClock, flows: () => boolean): Promise<number> => {
  const from = clock.elapsed()
  while (flows()) await clock.advance(1)
  return clock.elapsed() - from
}

test('a lease runs 5 s from the beat of its node that it names, however long it was on its way', async () => {
  const { clock, heartbeat, ends, lease, flows } = arrange()
  const beat = heartbeat.next()
  await clock.advance(1_200)
  expect(lease({ beat })).toBe(true)
  expect(await untilNothingFlows(clock, flows)).toBe(3_800)
  expect(ends).toEqual([5_000])
})

test('a lease that has waited for 5 s, or names a beat that never was, grants nothing', async () => {
  const { clock, heartbeat, lease, flows } = arrange()
  const beat = heartbeat.next()
  await clock.advance(5_000)
  for (const old of [beat, beat + 1, 0]) {
    expect(lease({ beat: old })).toBe(false)
    expect(flows()).toBe(false)
  }
  expect(lease({ beat: heartbeat.next() })).toBe(true)
  expect(flows()).toBe(true)
})

test('what comes late or twice neither shortens a lease nor makes it longer', async () => {
  const { clock, heartbeat, lease, flows } = arrange()
  const first = heartbeat.next()
  lease({ beat: first })
  await clock.advance(1_000)
  const second = heartbeat.next()
  lease({ beat: second })
  await clock.advance(1_000)
  lease({ beat: first })
  lease({ beat: second })
  expect(await untilNothingFlows(clock, flows)).toBe(4_000)
  expect(lease({ beat: second })).toBe(false)
  expect(flows()).toBe(false)
})

test('an older policy, and one of an owner that has been replaced, are not taken', () => {
  const { heartbeat, lease, flows } = arrange()
  const beat = heartbeat.next()
  lease({ beat, policy: NOBODY, seq: 2 })
  lease({ beat, seq: 1 })
  expect(flows()).toBe(false)
  lease({ beat, epoch: 2, seq: 3 })
  expect(flows()).toBe(true)
  expect(lease({ beat, policy: NOBODY, seq: 4 })).toBe(false)
  expect(flows()).toBe(true)
})

test('nothing flows while the policy of the lease has not come', () => {
  const { heartbeat, lease, flows } = arrange()
  const beat = heartbeat.next()
  lease({ beat })
  expect(lease({ beat, policy: null, hash: 'another', seq: 2 })).toBe(true)
  expect(flows()).toBe(false)
})
