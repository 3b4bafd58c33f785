import { expect, test } from 'vitest'
import { PARTITIONS } from '../../bus/subjects.ts'
import { Owners, type TestEngine } from './testing/owners.ts'

const keys = ({ owned }: TestEngine): number[] => [...owned.keys()].toSorted((a, b) => a - b)
const here = (owned: ReadonlyMap<number, number>) => new Map(owned)

/** So many engines that share everything between them, and have beaten for 3 s. */
const running = async (count: number, owners = new Owners()) => {
  const engines: TestEngine[] = []
  for (let i = 0; i < count; i++) engines.push(owners.start())
  await owners.clock.runUntil(() => owners.areAll(...engines))
  await owners.clock.advance(3_000)
  for (const engine of engines) for (const list of [engine.lines, engine.lost, engine.released]) list.length = 0
  return { owners, engines, clock: owners.clock }
}

const pair = async (owners = new Owners()) => {
  const { engines, ...rest } = await running(2, owners)
  const [one, two] = engines
  if (!one || !two) throw new Error('two engines')
  return { ...rest, one, two }
}

test('the first engine owns everything as soon as a beat of its own came back', async () => {
  const owners = new Owners()
  const one = owners.start()
  expect(one.ownership.isSure).toBe(false)
  await owners.clock.advance(50)
  expect(one.owned.size).toBe(PARTITIONS)
  expect(one.ownership.isSure).toBe(true)
  expect(one.ownership.engines).toBe(1)
})

test('engines that start together share everything, and know of each other', async () => {
  const { owners, engines } = await running(3)
  expect(owners.areAll(...engines)).toBe(true)
  for (const { ownership } of engines) expect(ownership.engines).toBe(3)
})

test('an engine that joins gets about its share, from each that is there, after its release; nothing else moves', async () => {
  const { owners, one, two, clock } = await pair()
  const before = [here(one.owned), here(two.owned)]
  const three = owners.start()
  await clock.runUntil(() => owners.areAll(one, two, three), 2_000)
  expect(three.owned.size).toBeGreaterThan(PARTITIONS / 3 / 1.5)
  expect(three.owned.size).toBeLessThan((PARTITIONS / 3) * 1.5)
  // What stayed kept its epoch: it was not touched.
  for (const [i, engine] of [one, two].entries()) {
    for (const [partition, epoch] of engine.owned) expect(before[i]?.get(partition)).toBe(epoch)
    expect(engine.lost).toEqual([])
  }
  await clock.advance(1_000)
  expect(owners.areAll(one, two, three)).toBe(true)
  expect(one.ownership.engines).toBe(3)
})

test('handing over is told in one line', async () => {
  const { owners, one, two, clock } = await pair()
  const before = one.owned.size
  const three = owners.start()
  await clock.runUntil(() => owners.areAll(one, two, three), 2_000)
  await clock.advance(1_000)
  expect(one.lines).toEqual([`info: handed ${before - one.owned.size} partitions to engine e3`])
})

test('what a killed engine owned is taken over within 3.5 s, and nothing else moves', async () => {
  for (let after = 0; after < 500; after += 60) {
    const { owners, one, two, clock } = await pair()
    await clock.advance(after)
    const [before, gone] = [here(two.owned), one.owned.size]
    owners.crash(one)
    const killed = clock.now()
    await clock.runUntil(() => owners.areAll(two), 10_000)
    expect(clock.now() - killed).toBeLessThan(3_500)
    for (const [partition, epoch] of before) expect(two.owned.get(partition)).toBe(epoch)
    await clock.advance(1_000)
    expect(two.lines).toEqual([`info: took over ${gone} partitions of engine e1, which is gone`])
    expect(two.ownership.engines).toBe(1)
  }
})

test('not before the last lease of a killed engine has ended', async () => {
  const { owners, one, two, clock } = await pair()
  owners.crash(one)
  await clock.runUntil(() => !one.ownership.isSure)
  expect(two.lost).toEqual([])
  expect(owners.areAll(two)).toBe(false)
})

test('what two of four engines owned that are killed at once is taken over within 3.5 s', async () => {
  const { owners, engines, clock } = await running(4)
  const [one, two, three, four] = engines
  if (!one || !two || !three || !four) throw new Error('four engines')
  owners.crash(one)
  owners.crash(two)
  await clock.runUntil(() => owners.areAll(three, four), 3_500)
})

test('an engine that starts after another one was killed, whose key is still there, hands nothing to that one', async () => {
  const { owners, one, two, clock } = await pair()
  owners.crash(one)
  await clock.runUntil(() => owners.areAll(two))
  const three = owners.start()
  await clock.advance(5_000)
  expect(owners.areAll(two, three)).toBe(true)
  expect([three.released, three.lost, two.lost]).toEqual([[], [], []])
})

test('an engine that is killed while it takes over is taken over itself', async () => {
  const { owners, engines, clock } = await running(3)
  const [one, two, three] = engines
  if (!one || !two || !three) throw new Error('three engines')
  const had = two.owned.size
  owners.crash(one)
  await clock.runUntil(() => two.owned.size > had, 3_500)
  owners.crash(two)
  await clock.runUntil(() => owners.areAll(three), 6_000)
})

test('a ledger that takes no writes for 10 s moves nothing; nobody is sure meanwhile, and all are soon after', async () => {
  const { owners, one, two, clock } = await pair()
  const before = [here(one.owned), here(two.owned)]
  owners.isSilent = true
  await clock.advance(2_500)
  expect([one.ownership.isSure, two.ownership.isSure]).toEqual([false, false])
  await clock.advance(7_500)
  owners.isSilent = false
  await clock.runUntil(() => owners.areAll(one, two), 600)
  await clock.advance(10_000)
  expect([one.owned, two.owned]).toEqual(before)
})

test('a ledger that lets beats through late and all at once counts nobody dead', async () => {
  let late = 0
  const owners = new Owners({ delay: () => 1 + late })
  const { one, two, clock } = await pair(owners)
  const before = [here(one.owned), here(two.owned)]
  late = 4_000
  await clock.advance(2_000)
  late = 0
  await clock.advance(20_000)
  expect([one.owned, two.owned]).toEqual(before)
})

test('beats that are lost one by one move nothing', async () => {
  const { owners, one, two, clock } = await pair()
  const before = [here(one.owned), here(two.owned)]
  for (let i = 0; i < 20; i++) {
    one.host.cut()
    await clock.advance(900)
    one.host.mend()
    await clock.advance(700)
  }
  expect([one.owned, two.owned]).toEqual(before)
  expect(owners.areAll(one, two)).toBe(true)
})

test('an engine that was paused for 15 s is not sure when it wakes, and loses what was taken before it is sure again', async () => {
  const { owners, one, two, clock } = await pair()
  const had = keys(one)
  one.host.pause()
  await clock.runUntil(() => owners.areAll(two), 3_500)
  await clock.advance(12_000)
  expect(one.ownership.isSure).toBe(false)
  expect(keys(one)).toEqual(had)
  let lostWhenSure: number[] | null = null
  void one.ownership.sure().then(() => {
    lostWhenSure = [...one.lost]
  })
  one.host.wake()
  await clock.runUntil(() => one.ownership.isSure, 2_000)
  expect(lostWhenSure).toHaveLength(had.length)
  expect(one.lost.toSorted((a, b) => a - b)).toEqual(had)
  await clock.runUntil(() => owners.areAll(one, two) && one.owned.size === had.length, 3_000)
  expect(keys(one)).toEqual(had)
})

test('an engine that was paused while it took over comes to own what is still its, and no more', async () => {
  const { owners, engines, clock } = await running(3)
  const [one, two, three] = engines
  if (!one || !two || !three) throw new Error('three engines')
  owners.crash(one)
  const had = two.owned.size
  await clock.runUntil(() => two.owned.size > had, 3_500)
  two.host.pause()
  await clock.runUntil(() => owners.areAll(three), 6_000)
  await clock.advance(9_000)
  two.host.wake()
  await clock.runUntil(() => owners.areAll(two, three), 3_000)
})

test('an engine that is cut off is not sure after 1.8 s; when it is back before others took over it keeps what it has', async () => {
  const { owners, one, two, clock } = await pair()
  const before = here(one.owned)
  one.host.cut()
  await clock.advance(1_850)
  expect(one.ownership.isSure).toBe(false)
  one.host.mend()
  await clock.runUntil(() => owners.areAll(one, two), 1_000)
  expect(one.owned).toEqual(before)
})

test('an engine that is cut off for long loses everything, and gets its share back', async () => {
  const { owners, one, two, clock } = await pair()
  const had = keys(one)
  one.host.cut()
  await clock.runUntil(() => owners.areAll(two), 3_500)
  await clock.advance(60_000)
  one.host.mend()
  await clock.runUntil(() => owners.areAll(one, two) && one.owned.size === had.length, 3_000)
  expect(keys(one)).toEqual(had)
  expect(one.lost.toSorted((a, b) => a - b)).toEqual(had)
})

test.for([-3_600_000, -700, 700, 3_600_000])(
  'a clock that steps by %d ms moves nothing, and makes no lease longer',
  async (step) => {
    const { owners, one, two, clock } = await pair()
    const before = [here(one.owned), here(two.owned)]
    for (const { host } of [one, two]) {
      host.stepClock(step)
      await clock.advance(3_000)
    }
    expect(owners.areAll(one, two)).toBe(true)
    expect([one.owned, two.owned]).toEqual(before)
    one.host.cut()
    await clock.advance(1_700)
    one.host.stepClock(step)
    await clock.advance(350)
    expect(one.ownership.isSure).toBe(false)
  },
)

test('an engine that leaves hands everything over at once, each after its release', async () => {
  const { owners, one, two, clock } = await pair()
  const had = keys(one)
  let left = 0
  void one.ownership.leave().then(() => {
    left = clock.now()
  })
  const from = clock.now()
  await clock.runUntil(() => owners.areAll(two), 200)
  await clock.runUntil(() => left > 0, 200)
  expect(left - from).toBeLessThan(200)
  expect(one.released.toSorted((a, b) => a - b)).toEqual(had)
  expect(one.lost).toEqual([])
  expect(one.lines).toEqual([`info: handed ${had.length} partitions to engine e2`])
  await clock.advance(10_000)
  expect(two.lost).toEqual([])
  expect(two.ownership.engines).toBe(1)
})

test('an engine that leaves where no other is gives up everything; the next one takes it at once, with a higher epoch', async () => {
  const owners = new Owners()
  const one = owners.start()
  await owners.clock.runUntil(() => owners.areAll(one))
  let left = false
  void one.ownership.leave().then(() => {
    left = true
  })
  await owners.clock.runUntil(() => left, 200)
  expect(one.owned.size).toBe(0)
  const two = owners.start()
  await owners.clock.runUntil(() => owners.areAll(two), 100)
})

test('an engine leaves within 9 s also where the ledger is silent or a release never ends', async () => {
  const { owners, one, two, clock } = await pair(new Owners({ release: () => 60_000 }))
  let left = false
  void one.ownership.leave().then(() => {
    left = true
  })
  await clock.runUntil(() => left, 9_000)
  await clock.runUntil(() => owners.areAll(two), 3_500)
  owners.isSilent = true
  left = false
  void two.ownership.leave().then(() => {
    left = true
  })
  await clock.runUntil(() => left, 9_000)
})

test('an engine that never came to own anything leaves at once', async () => {
  const owners = new Owners()
  owners.isSilent = true
  const one = owners.start()
  await owners.clock.advance(1_000)
  let left = false
  void one.ownership.leave().then(() => {
    left = true
  })
  await owners.clock.runUntil(() => left, 50)
})

test('what was released and not written goes on to whom it should belong by then', async () => {
  const { owners, one, two, clock } = await pair(new Owners({ release: () => 3_000 }))
  const three = owners.start()
  await clock.advance(1_000)
  expect(three.owned.size).toBe(0)
  owners.crash(three)
  await clock.runUntil(() => owners.areAll(one, two), 12_000)
})

test('an engine that is abandoned says and owns nothing more, and others take over', async () => {
  const { owners, one, two, clock } = await pair()
  one.ownership.abandon()
  one.isCrashed = true
  expect(one.ownership.isSure).toBe(false)
  await clock.runUntil(() => owners.areAll(two), 3_500)
  expect([one.lost, one.released]).toEqual([[], []])
})
