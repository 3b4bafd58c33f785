import { describe, expect, it } from 'vitest'
import { assign } from 'xstate'
import { go, keeping, type Lab, lab, start, thrown } from './testing/lab.ts'

describe('states are plain, immutable data', () => {
  class Card {}
  it.each([
    ['a Map', () => new Map(), 'context.got.deep.0 is a Map'],
    ['a Set', () => new Set(), 'is a Set'],
    ['a Date', () => new Date(0), 'is a Date'],
    ['an instance', () => new Card(), 'is a Card'],
    ['a function', () => () => 1, 'is a function'],
    ['NaN', () => Number.NaN, 'is NaN'],
    ['a bigint', () => 1n, 'is a bigint'],
    ['undefined', () => undefined, 'is undefined (use null'],
  ])('refuses %s in the context, naming the path', (_, make, message) => {
    const { runner, state } = start(keeping(() => ({ deep: [make()] })))
    expect(thrown(() => runner.step(state, go)).message).toContain(message)
  })

  it('toPlain refuses a cycle, and what the author froze unseen', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    for (const [make, message] of [
      [() => cycle, 'context.got.self is a part of itself'],
      [() => Object.freeze({ map: new Map() }), 'context.got.map is a Map'],
    ] as const) {
      const { runner, state } = start(keeping(make))
      const next = runner.step(state, go)?.state ?? state
      expect(thrown(() => runner.toPlain(next)).message).toContain(message)
    }
  })

  it('an action that changes the context in place throws, and the state stays as it was', () => {
    const machine = lab.createMachine({
      context: { wait: 0, got: { list: [1] } },
      on: {
        go: {
          actions: assign(({ context }) => {
            Object(context.got).list.push(2)
            return {}
          }),
        },
      }, // the mistake
    })
    const { runner, state } = start(machine, { everyone: (s: { context: Lab }) => ({ got: s.context.got }) })
    expect(thrown(() => runner.step(state, go)).message).toContain('not extensible')
    expect(runner.everyone(state)).toEqual({ got: { list: [1] } })
  })

  it('a stored state that these rules do not know is refused', () => {
    const { runner, state } = start(keeping(() => 1))
    const plain = runner.toPlain(state)
    const other = { ...plain, snapshot: { ...Object(plain.snapshot), value: 'elsewhere', nodes: [] } }
    expect(thrown(() => runner.fromPlain(other)).message).toMatch(/^lab: a stored state does not fit these rules: /)
    expect(thrown(() => runner.fromPlain({ ...plain, snapshot: 3 })).message).toContain('not as toPlain wrote it')
    for (const strange of [{ ...state, snapshot: {} }, start(keeping(() => 1)).state])
      expect(thrown(() => runner.step(strange, go)).message).toContain('must go through toPlain and fromPlain')
  })

  it('migrate carries a room of an older version over, and says null for a version it does not name', () => {
    const old = start(keeping(() => 1))
    const plain = old.runner.toPlain(old.state)
    const machine = lab.createMachine({
      id: 'lab',
      context: { wait: 0, got: null },
      initial: 'fresh',
      states: { fresh: {} },
    })
    const { runner } = start(machine, {
      everyone: (s: { context: Lab }) => s.context,
      migrate: {
        1: (s: { context: object }) => ({ ...s, value: 'fresh', context: { ...s.context, got: 'moved' } }),
        2: (s: object) => s,
      },
    })
    const moved = runner.migrate(1, plain)
    expect(moved && runner.everyone(runner.fromPlain(moved))).toEqual({ wait: 100, got: 'moved' })
    expect(runner.migrate(7, plain)).toBeNull()
    expect(thrown(() => runner.migrate(2, plain)).message).toContain('migrate from version 2')
  })
})
