import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PROPERTY_TEST_MS, TOLD_WITH_SEED } from '../../test/property.ts'
import { Owners } from './testing/owners.ts'

const DEEDS = ['crash', 'pause', 'wake', 'cut', 'mend', 'leave', 'slow', 'step', 'join', 'silence', 'speak'] as const
const steps = fc.array(
  fc.record({
    do: fc.oneof(
      { weight: 1, arbitrary: fc.constant('wait' as const) },
      { weight: 2, arbitrary: fc.constantFrom(...DEEDS) },
    ),
    engine: fc.nat({ max: 3 }),
    ms: fc.integer({ min: 1, max: 3_500 }),
    /** A clock steps forward, or back. */
    isForward: fc.boolean(),
    /** Time passes after it. */
    pause: fc.integer({ min: 0, max: 1_000 }),
  }),
  { maxLength: 40 },
)

test(
  'whatever is paused, killed, cut off, slow, silent, or comes and goes: no two engines are sure of one partition, epochs rise, and in the end all is owned',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), steps, async (seed, script) => {
        let draws = seed
        const owners = new Owners({
          seed,
          delay: () => {
            draws = (Math.imul(draws, 1_103_515_245) + 12_345) >>> 0
            return (draws >>> 16) % 30
          },
          release: () => 40,
        })
        const { clock, engines } = owners
        const watch = (): void => {
          owners.check()
          clock.after(7, watch)
        }
        watch()
        for (let i = 0; i < 3; i++) owners.start()
        for (const step of script) {
          const chosen = engines[step.engine]
          if (step.do === 'wait') await clock.advance(step.ms)
          else if (step.do === 'join') owners.start()
          else if (step.do === 'silence') owners.isSilent = true
          else if (step.do === 'speak') owners.isSilent = false
          else if (!chosen || chosen.isCrashed) continue
          else if (step.do === 'crash') owners.crash(chosen)
          else if (step.do === 'leave') owners.leave(chosen)
          else if (step.do === 'slow') chosen.host.delay(step.ms)
          else if (step.do !== 'step') chosen.host[step.do]()
          else chosen.host.stepClock(step.isForward ? step.ms : -step.ms)
          await clock.advance(step.pause)
        }
        owners.isSilent = false
        const last = owners.start()
        for (const { host } of engines) {
          host.mend()
          host.wake()
        }
        const there = () => engines.filter(({ isCrashed, isLeft }) => !isCrashed && !isLeft)
        await clock.runUntil(() => owners.areAll(...there()), 60_000)
        expect(last.owned.size).toBeGreaterThan(0)
      }),
      { numRuns: 150, ...TOLD_WITH_SEED },
    )
  },
  PROPERTY_TEST_MS,
)
