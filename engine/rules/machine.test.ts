import { describe, expect, it } from 'vitest'
import { assign, enqueueActions, setup } from 'xstate'
import { random } from './chance.ts'
import { g, go, keeping, lab, start, thrown } from './testing/lab.ts'

describe('what the rules throw', () => {
  const broken = setup({
    types: g.types,
    guards: {
      alive: g.when('go', () => {
        throw new TypeError('Cannot read it')
      }),
    },
    actions: {
      ballot: g.change('chat', () => {
        throw new TypeError('No ballot')
      }),
    },
    delays: {
      soon: () => {
        throw new TypeError('No delay')
      },
    },
  }).createMachine({
    id: 'lab',
    context: { wait: 0, got: null },
    initial: 'town',
    states: {
      town: {
        initial: 'night',
        states: {
          night: { on: { go: { guard: 'alive', target: 'late' }, chat: { actions: 'ballot' }, 'player.left': 'late' } },
          late: { after: { soon: 'night' } },
        },
      },
    },
  })

  it.each([
    [go, 'lab: guard "alive" threw at state "town.night": Cannot read it'],
    [{ ...go, type: 'chat' }, 'lab: action "ballot" threw at state "town.night": No ballot'],
    [{ ...go, type: 'player.left' }, 'lab: delay "soon" threw at state "town.night": No delay'],
  ])(
    "comes out as RulesError that names the game, the function and the state, with the author's error as cause",
    (event, message) => {
      const { runner, state } = start(broken)
      const error = thrown(() => runner.step(state, event))
      expect(error.message).toBe(message)
      expect(error.cause).toBeInstanceOf(TypeError)
      expect(String(Object(error.cause).stack)).toContain('machine.test.ts')
      expect(runner.everyone(state)).toEqual({})
      expect(runner.step(state, { ...go, type: 'player.dropped' })).toBeNull()
    },
  )

  it('names each of two faults that come one after the other', () => {
    const { runner, state } = start(broken)
    expect(thrown(() => runner.step(state, go)).message).toContain('guard "alive"')
    expect(thrown(() => runner.step(state, { ...go, type: 'chat' })).message).toContain('action "ballot"')
  })

  it('names a fault of the start', () => {
    const wrong = lab.createMachine({
      context: () => {
        throw new Error('No town')
      },
    })
    expect(thrown(() => start(wrong)).message).toBe('lab: the start threw: No town')
  })

  it('ends a cycle of always or raise', () => {
    const again = lab.raise({ type: 'go', by: 'x', payload: { n: 1 } })
    const context = { wait: 0, got: null }
    for (const machine of [
      lab.createMachine({ context, initial: 'a', states: { a: { always: 'b' }, b: { always: 'a' } } }),
      lab.createMachine({ context, entry: again, on: { go: { actions: again } } }),
    ])
      expect(thrown(() => start(machine)).message).toContain('Infinite loop')
  })

  it('leaves nothing behind: the next step is as if the one that threw had not been', () => {
    let angry = true
    const { runner, state } = start(
      keeping(() => {
        random()
        if (angry) throw new Error('oh')
        return random()
      }),
    )
    thrown(() => runner.step(state, go))
    angry = false
    const calm = runner.step(state, go)
    expect(calm).toEqual(runner.step(state, go))
    expect(calm?.emits).toEqual([])
  })

  it.each([
    ['self.send', ({ self }: { self: { send(event: object): void } }) => self.send({ type: 'go' })],
    ['spawn', ({ spawn }: { spawn(logic: object): unknown }) => spawn(keeping(() => 1))],
    ['system', ({ system }: { system: { get(name: string): unknown } }) => system.get('x')],
  ] as const)('refuses %s in an action: a game has no actors', (_, act) => {
    const machine = lab.createMachine({
      context: { wait: 0, got: null },
      on: { go: { actions: assign({ got: (args) => void act(Object(args)) }) } },
    })
    const { runner, state } = start(machine)
    expect(thrown(() => runner.step(state, go)).message).toContain('a game has no actors')
  })

  it('refuses a plain function that enqueueActions queues, which would never run', () => {
    const machine = lab.createMachine({
      context: { wait: 0, got: null },
      on: { go: { actions: enqueueActions(({ enqueue }) => enqueue(() => {})) } },
    })
    const { runner, state } = start(machine)
    expect(thrown(() => runner.step(state, go)).message).toContain('plain function')
  })
})
