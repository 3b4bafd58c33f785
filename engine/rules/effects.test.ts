import { describe, expect, it } from 'vitest'
import { assign, cancel, raise, setup } from 'xstate'
import type { RulesState } from './game.ts'
import { g, go, lab, start, thrown } from './testing/lab.ts'
import { deadline } from './time.ts'

describe('timers as data', () => {
  const machine = setup({ types: g.types, delays: { wait: ({ context }) => context.wait } }).createMachine({
    id: 'lab',
    context: ({ input }) => ({ wait: input.options.wait, got: null }),
    type: 'parallel',
    states: {
      x: {
        initial: 'a',
        states: {
          a: {
            after: { wait: 'b', 30: { actions: assign({ got: 'early' }) } },
            on: { go: { target: 'a', reenter: true } },
          },
          b: {},
        },
      },
      y: {
        initial: 'on',
        states: {
          on: {
            entry: raise({ type: 'chat', by: 'x', payload: { text: 'late' } }, { delay: 400, id: 'bell' }),
            after: { wait: 'off' },
            on: {
              chat: { actions: assign({ got: ({ event }) => event.payload.text }) },
              'player.left': { actions: cancel('bell') },
            },
          },
          off: {},
        },
      },
    },
  })
  const view = {
    everyone: (s: Parameters<typeof deadline>[0]) => ({
      wait: deadline(s, 'wait'),
      early: deadline(s, 30),
      bell: deadline(s, 'bell'),
      none: deadline(s, 'other'),
    }),
  }

  it('an `after` and a delayed raise become deadlines, in the order in which they were set', () => {
    const { state } = start(machine)
    expect(state.deadlines.map(({ id, due, order }) => [id, due, order])).toEqual(
      [
        ['xstate.after.30.lab.x.a', 1_030, 0],
        ['xstate.after.wait.lab.x.a', 1_100, 1],
        ['bell', 1_400, 2],
        ['xstate.after.wait.lab.y.on', 1_100, 3],
      ].toSorted((a, b) => Number(a[2]) - Number(b[2])),
    )
  })

  it('deadline() tells a view when they fall due', () => {
    const { runner, state } = start(machine, view)
    expect(runner.everyone(state)).toEqual({ wait: 1_100, early: 1_030, bell: 1_400, none: null })
    const again = runner.step(state, go)?.state ?? state
    expect(runner.everyone(again)).toEqual({ wait: 1_100, early: 2_030, bell: 1_400, none: null })
    expect(again.deadlines).toHaveLength(4)
    const silent = runner.step(again, { type: 'player.left', by: 'ann', at: 2_000, seed: 1 })?.state ?? again
    expect(runner.everyone(silent)).toEqual({ wait: 1_100, early: 2_030, bell: null, none: null })
  })

  it('one that fell due is gone, whether or not anything takes its event', () => {
    const { runner, state } = start(machine, view)
    const fire = (from: RulesState, id: string) => {
      const timer = from.deadlines.find((one) => one.id === id)
      if (timer === undefined) throw new Error(`${id} does not run`)
      return runner.fire(from, timer, { at: 5_000, seed: 1 }).state
    }
    const off = fire(state, 'xstate.after.wait.lab.y.on')
    expect(off.deadlines.map(({ id }) => id)).not.toContain('xstate.after.wait.lab.y.on')
    const silent = fire(off, 'bell')
    expect(silent.snapshot).toBe(off.snapshot)
    expect(silent.deadlines).toHaveLength(2)
    const [gone] = state.deadlines.filter(({ id }) => id === 'bell')
    expect(() => gone && runner.fire(silent, gone, { at: 1, seed: 1 })).toThrow('"bell" does not run')
  })

  it('none runs on when the machine is done', () => {
    const ending = lab.createMachine({
      context: { wait: 0, got: null },
      initial: 'a',
      entry: raise({ type: 'chat', by: 'x', payload: { text: '' } }, { delay: 400 }),
      states: { a: { on: { go: 'z' } }, z: { type: 'final' } },
    })
    const { runner, state } = start(ending)
    expect(state.deadlines).toHaveLength(1)
    const over = runner.step(state, go)?.state ?? state
    expect(runner.done(over)).toBe(true)
    expect(over.deadlines).toEqual([])
    expect(runner.step(over, go)).toBeNull()
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses a delay of %d', (delay) => {
    const wrong = setup({ types: g.types, delays: { wait: () => delay } }).createMachine({
      context: { wait: 0, got: null },
      initial: 'a',
      states: { a: { after: { wait: 'b' } }, b: {} },
    })
    expect(thrown(() => start(wrong)).message).toContain(`has the delay ${delay}`)
  })

  it('deadline() is refused outside views, and for a state that is not being viewed', () => {
    const { runner, state } = start(machine, view)
    expect(thrown(() => view.everyone(Object(state.snapshot))).message).toContain('deadline() only works in')
    const other = start(machine, { everyone: () => view.everyone(Object(state.snapshot)) })
    expect(thrown(() => other.runner.everyone(other.state)).message).toContain(
      'takes the state that the view was given',
    )
    expect(runner.everyone(state).bell).toBe(1_400)
  })
})
