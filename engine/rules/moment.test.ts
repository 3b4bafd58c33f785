import { describe, expect, it } from 'vitest'
import { and, assign, not, setup } from 'xstate'
import { dice, pick, random, shuffle } from './chance.ts'
import { g, go, keeping, type Lab, lab, start, thrown } from './testing/lab.ts'
import { now } from './time.ts'

const gotAfterGo = (f: () => unknown): unknown => {
  const { runner, state } = start(keeping(f), { everyone: (s: { context: Lab }) => ({ got: s.context.got }) })
  return runner.everyone(runner.step(state, go)?.state ?? state).got
}

describe('time and chance', () => {
  it('now() is the time of the input that is stepped, also in a timer and at the start', () => {
    expect(gotAfterGo(now)).toBe(2_000)
    const machine = lab.createMachine({
      context: () => ({ wait: now(), got: null }),
      initial: 'a',
      states: { a: { after: { 50: 'b' } }, b: { entry: assign({ got: () => now() }) } },
    })
    const { runner, state } = start(machine, { everyone: (s: { context: Lab }) => s.context })
    expect(runner.everyone(state)).toEqual({ wait: 1_000, got: null })
    const [timer] = state.deadlines
    const fired = timer && runner.fire(state, timer, { at: 5_000, seed: 1 })
    expect(fired && runner.everyone(fired.state)).toEqual({ wait: 1_000, got: 5_000 })
  })

  it('goes on in one stream within a step, and gives the same for the same seed', () => {
    const draws = () => [random(), random(), dice(6), pick(['a', 'b', 'c']), shuffle([1, 2, 3, 4])]
    const once = gotAfterGo(draws)
    expect(gotAfterGo(draws)).toEqual(once)
    expect(new Set((gotAfterGo(() => [random(), random(), random()]) as number[]).values()).size).toBe(3)
  })

  const places = [
    ['an inline guard', () => ({ guard: () => now() > 0 })],
    ['a named guard', () => ({ guard: 'late' })],
    ['a part of and()', () => ({ guard: and([() => true, () => now() > 0]) })],
    ['a part of not()', () => ({ guard: not(() => now() > 0) })],
  ] as const
  it.each(places)('now() is refused in %s, and the message says what to do', (_, transition) => {
    const base = setup({ types: g.types, guards: { late: () => now() > 0 } })
    const machine = base.createMachine({
      context: { wait: 0, got: null },
      on: { go: { ...transition(), actions: assign({ got: 1 }) } },
    } as Parameters<typeof base.createMachine>[0])
    const { runner, state } = start(machine)
    expect(thrown(() => runner.step(state, go)).message).toMatch(/guard .*now\(\) is refused in guards.*`after`/)
  })

  it('random() is refused in a guard of `always`', () => {
    const machine = lab.createMachine({
      context: { wait: 0, got: null },
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { always: { guard: () => random() > 0, target: 'a' } } },
    })
    const { runner, state } = start(machine)
    expect(thrown(() => runner.step(state, go)).message).toMatch(
      /a guard of state "b" threw.*random\(\) is refused in guards/,
    )
  })

  it.each([
    ['everyone', (f: () => unknown) => ({ everyone: () => ({ x: f() }) })],
    ['only', (f: () => unknown) => ({ only: () => ({ x: f() }) })],
    ['media', (f: () => unknown) => ({ media: () => ({ see: f(), hear: 'all' }) })],
    ['result', (f: () => unknown) => ({ result: f })],
  ] as const)('now() and random() are refused in %s', (name, view) => {
    for (const [f, asked] of [
      [now, 'now()'],
      [random, 'random()'],
    ] as const) {
      const ending = lab.createMachine({
        context: { wait: 0, got: null },
        initial: 'a',
        states: { a: { type: 'final' } },
      })
      const { runner, state } = start(ending, view(f))
      expect(thrown(() => runner[name](state, 'ann')).message).toContain(
        `${name} threw at state "a": ${asked} is refused in views`,
      )
    }
  })

  it('they are refused outside a step, also after one that threw', () => {
    for (const f of [now, random, () => shuffle([1]), () => pick([1]), () => dice(6)])
      expect(thrown(f).message).toContain('only works while the machine takes an event')
    const { runner, state } = start(
      keeping(() => {
        throw new Error('oh')
      }),
    ) // a step that throws
    thrown(() => runner.step(state, go))
    expect(thrown(now).message).toContain('only works while')
  })
})
