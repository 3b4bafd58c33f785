import { expect, test } from 'vitest'
import { PARTITIONS } from '../../bus/subjects.ts'
import { Owners } from './testing/owners.ts'

/** Moments of a race, tried one after the other: one of them hits it. */
const moments = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step)

test('an engine that beats again just before it is written that it was taken over: nobody else is sure until its lease has ended', async () => {
  for (const backAfter of moments(1_900, 3_300, 20)) {
    const owners = new Owners({ delay: () => 50 })
    const { clock } = owners
    const two = owners.start()
    await clock.advance(40)
    const one = owners.start()
    await clock.runUntil(() => owners.areAll(one, two))
    await clock.advance(3_000)
    one.host.cut()
    await clock.advance(backAfter)
    // Back for one beat to be written and to return; what is written after it does not reach this engine in time.
    one.host.mend()
    await clock.advance(140)
    one.host.cut()
    await clock.advance(5_000)
    one.host.mend()
    await clock.runUntil(() => owners.areAll(one, two))
  }
})

test('an engine that takes over from one that died as it took over: the first owner may be alive, and not know yet', async () => {
  for (const slowFrom of moments(1_900, 3_400, 40)) {
    // What the first engine owns it goes on owning: its releases do not end.
    const owners = new Owners({ delay: () => 100, release: () => 3_600_000 })
    const { clock } = owners
    const one = owners.start()
    await clock.runUntil(() => owners.areAll(one))
    owners.start()
    await clock.advance(10)
    const two = owners.start()
    await clock.advance(3_000)
    one.host.cut()
    await clock.advance(slowFrom)
    // It writes that it takes over, and dies; that is 3 s on its way, and the first engine is back meanwhile.
    two.host.delay(3_000)
    await clock.advance(250)
    owners.crash(two)
    one.host.mend()
    await clock.advance(2_800)
    one.host.cut()
    await clock.advance(5_000)
  }
})

test('an own beat that was under way for long when another engine beat last does not shorten the time in which that one is not yet dead', async () => {
  for (const at of moments(0, 500, 10)) {
    const owners = new Owners()
    const { clock } = owners
    const one = owners.start()
    await clock.advance(50)
    const two = owners.start()
    await clock.runUntil(() => owners.areAll(one, two))
    await clock.advance(3_000 + at)
    two.host.delay(900)
    await clock.advance(890)
    one.host.cut()
    await clock.advance(5_000)
  }
})

test('a partition that comes back while its release from before has not ended is owned anew only once it has', async () => {
  let releases = 0
  const owners = new Owners({ release: () => (releases++ === 0 ? 20_000 : 10) })
  const { clock } = owners
  const one = owners.start()
  await clock.runUntil(() => owners.areAll(one))
  const two = owners.start()
  await clock.runUntil(() => one.releasing.size === 1)
  one.host.cut()
  await clock.runUntil(() => two.owned.size === PARTITIONS)
  one.host.mend()
  await clock.runUntil(() => one.owned.size === 0)
  await clock.runUntil(() => two.ownership.engines === 2)
  owners.leave(two)
  await clock.runUntil(() => one.owned.size === PARTITIONS - 1)
  expect(one.releasing.size).toBe(1)
  await clock.runUntil(() => owners.areAll(one))
})
