import { describe, expect, it } from 'vitest'
import { type AnyStateMachine, and, assign, cancel, emit, enqueueActions, not, raise, setup } from 'xstate'
import { z } from 'zod'
import { dice, pick, random, shuffle } from './chance.ts'
import { defineGame } from './define.ts'
import { RulesError, type RulesState } from './game.ts'
import { gameType } from './gametype.ts'
import { createRunner } from './runner.ts'
import { deadline, now } from './time.ts'

const head = {
  id: 'lab',
  version: 3,
  title: { en: 'Lab', ko: '실험실' },
  players: [1, 4] as const,
  moves: {
    go: z.object({ n: z.number().default(1) }),
    chat: z.object({ text: z.string(), to: z.string().optional() }),
  },
  options: z.object({ wait: z.number().default(100) }),
  personal: ['chat.text', 'chat.to'] as const,
}
interface Lab {
  readonly wait: number
  readonly got: unknown
}
const g = gameType<Lab>()(head)
const lab = setup({ types: g.types })
const start = (machine: AnyStateMachine, more: object = {}) => {
  const runner = createRunner(defineGame(g, machine, { everyone: () => ({}), ...more }))
  return { runner, ...runner.start({ players: ['ann', 'bo'], options: runner.parseOptions(null), at: 1_000, seed: 7 }) }
}
/** A machine that keeps what `f` gives when `go` comes. */
const keeping = (f: () => unknown) =>
  lab.createMachine({
    id: 'lab',
    context: ({ input }) => ({ wait: input.options.wait, got: null }),
    initial: 'idle',
    states: { idle: { on: { go: { actions: assign({ got: () => f() }) } } } },
  })
const go = { type: 'go', by: 'ann', payload: { n: 1 }, at: 2_000, seed: 9 }
const thrown = (run: () => unknown): RulesError => {
  try {
    run()
  } catch (error) {
    if (error instanceof RulesError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
const gotAfterGo = (f: () => unknown): unknown => {
  const { runner, state } = start(keeping(f), { everyone: (s: { context: Lab }) => ({ got: s.context.got }) })
  return runner.everyone(runner.step(state, go)?.state ?? state).got
}

describe('what a game says of itself', () => {
  it('comes with its defaults, its personal paths and its options as JSON Schema', () => {
    const { runner } = start(keeping(() => 1))
    expect(runner).toMatchObject({ id: 'lab', version: 3, title: head.title, players: [1, 4], moves: ['go', 'chat'] })
    expect(runner).toMatchObject({ autoStart: false, dropIn: false, lobbyMedia: 'all', hasOnly: false, channels: {} })
    expect(runner.personal).toEqual({ chat: [['text'], ['to']] })
    expect(runner.optionsSchema).toMatchObject({
      type: 'object',
      properties: { wait: { type: 'number', default: 100 } },
    })
  })

  it('fills in the defaults of options and payloads, and refuses others with the issues path by path', () => {
    const { runner } = start(keeping(() => 1))
    expect(runner.parseOptions(undefined)).toEqual({ wait: 100 })
    expect(runner.parseMove('go', {})).toEqual({ n: 1 })
    for (const [parse, message, detail] of [
      [() => runner.parseMove('go', { n: 'x' }), /^go: n: /, [{ path: ['n'] }]],
      [() => runner.parseMove('go', null), /^go: /, [{ path: [] }]],
      [() => runner.parseMove('gone', {}), /lab has no move "gone"; it has go, chat/, []],
      [() => runner.parseMove('constructor', {}), /lab has no move "constructor"/, []],
      [() => runner.parseOptions({ wait: 'long' }), /^options: wait: /, [{ path: ['wait'] }]],
    ] as const)
      expect(parse).toThrow(
        expect.objectContaining({
          code: 'invalid_payload',
          message: expect.stringMatching(message),
          detail: detail.map((issue) => expect.objectContaining(issue)),
        }),
      )
  })
})

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
      expect(String(Object(error.cause).stack)).toContain('runner.test.ts')
      expect(runner.everyone(state)).toEqual({})
      expect(runner.step(state, { ...go, type: 'player.dropped' })).toBeNull()
    },
  )

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
    expect(thrown(() => runner.done({ ...state, snapshot: {} })).message).toContain('must go through fromPlain')
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

describe('emits and views', () => {
  it('emits come in order, with `to` apart from the event', () => {
    const machine = lab.createMachine({
      context: { wait: 0, got: null },
      on: {
        go: {
          actions: [
            emit({ type: 'bang', loud: true }),
            emit({ type: 'psst', to: ['ann'] }),
            emit({ type: 'nobody', to: [] }),
          ],
        },
      },
    })
    const { runner, state } = start(machine)
    expect(runner.step(state, go)?.emits).toEqual([
      { event: { type: 'bang', loud: true }, to: null },
      { event: { type: 'psst' }, to: ['ann'] },
      { event: { type: 'nobody' }, to: [] },
    ])
  })

  it('a move that nothing takes is null; one that only emits is taken', () => {
    const machine = lab.createMachine({
      context: { wait: 0, got: null },
      on: { go: { actions: emit({ type: 'bang' }) } },
    })
    const { runner, state } = start(machine)
    expect(runner.step(state, { ...go, type: 'chat' })).toBeNull()
    expect(runner.step(state, go)?.emits).toHaveLength(1)
  })

  it('only may not show what everyone shows', () => {
    const { runner, state } = start(
      keeping(() => 1),
      { everyone: () => ({ a: 1 }), only: () => ({ b: 2, a: 3 }) },
    )
    expect(runner.hasOnly).toBe(true)
    expect(thrown(() => runner.only(state, 'ann')).message).toContain('only shows "a", which everyone shows too')
  })

  it('views show plain data', () => {
    const { runner, state } = start(
      keeping(() => 1),
      { everyone: () => ({ at: new Date(0) }), only: () => [] },
    )
    expect(thrown(() => runner.everyone(state)).message).toBe('lab: everyone.at is a Date: views show plain data only')
    expect(thrown(() => runner.only(state, null)).message).toContain('only must return an object')
  })

  it('without media everybody sees and hears the players; a wrong policy is refused', () => {
    const open = start(keeping(() => 1))
    expect(open.runner.media(open.state, null)).toEqual({ see: 'all', hear: 'all' })
    const { runner, state } = start(
      keeping(() => 1),
      { media: (_: object, viewer: string | null) => ({ see: viewer ? ['bo'] : 'some', hear: 'none' }) },
    )
    expect(runner.media(state, 'ann')).toEqual({ see: ['bo'], hear: 'none' })
    expect(thrown(() => runner.media(state, null)).message).toContain('media gave see: "some"')
  })

  it('explain is in English where it is by language', () => {
    const texts = [{ ko: '아니요', en: 'No' }, { ko: '아니요' }, 'Plain', null]
    const { runner, state } = start(
      keeping(() => 1),
      { explain: (_: object, { payload }: { payload: { n: number } }) => texts[payload.n] },
    )
    const said = texts.map((_, n) => runner.explain(state, { type: 'go', by: 'ann', payload: { n } }))
    expect(said).toEqual(['No', '아니요', 'Plain', null])
    expect(start(keeping(() => 1)).runner.explain(state, go)).toBeNull()
  })

  it('a channel is closed without `from`, and reaches the players without `to`', () => {
    const channels = {
      mute: { maxBytes: 10, rate: 1 },
      open: { maxBytes: 10, rate: 1, from: (_: object, player: string) => player === 'ann' },
      aside: {
        maxBytes: 10,
        rate: 1,
        from: () => true,
        to: (_: object, player: string, viewer: string | null) => viewer === player,
      },
    }
    const { runner, state } = start(
      keeping(() => 1),
      { channels },
    )
    const cast = (channel: string) => ['ann', 'bo'].map((player) => runner.mayCast(state, channel, player))
    const receive = (channel: string) =>
      ['ann', 'bo', null].map((viewer) => runner.mayReceive(state, channel, 'ann', viewer))
    expect([cast('mute'), cast('open'), cast('aside'), cast('toString')]).toEqual([
      [false, false],
      [true, false],
      [true, true],
      [false, false],
    ])
    expect([receive('mute'), receive('aside'), receive('no')]).toEqual([
      [true, true, false],
      [true, false, false],
      [false, false, false],
    ])
    expect(runner.channels).toEqual({
      mute: { maxBytes: 10, rate: 1 },
      open: { maxBytes: 10, rate: 1 },
      aside: { maxBytes: 10, rate: 1 },
    })
  })
})
