import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  and,
  assign,
  cancel,
  emit,
  enqueueActions,
  initialTransition,
  isMachineSnapshot,
  not,
  raise,
  setup,
  stateIn,
  transition,
} from 'xstate'
import { z } from 'zod'
import mafia from '../../games/mafia/rules.ts'
import tictactoe from '../../games/tictactoe/rules.ts'
import bench from '../../loadtest/games/bench/rules.ts'
import { defineGame } from './define.ts'
import type { Deadline, RulesState, Stamp, Stepped } from './game.ts'
import { gameType } from './gametype.ts'
import { stepping } from './moment.ts'
import { createRunner } from './runner.ts'

/** A machine with what the games above lack: parallel regions, history, delayed raises, nested timers, cancels. */
const g = gameType<{ log: readonly string[]; n: number }>()({
  id: 'maze',
  version: 1,
  title: 'Maze',
  players: [1, 4],
  moves: { go: z.object({ n: z.number() }), back: z.object({}), bell: z.object({}), stop: z.object({}) },
})
const machine = setup({
  types: g.types,
  delays: { soon: ({ context }) => 100 + context.n * 10 },
  guards: { even: ({ context }) => context.n % 2 === 0, big: g.when('go', ({ payload }) => payload.n > 5) },
  actions: {
    note: assign(({ context }, params: { text: string }) => ({ log: [...context.log, params.text].slice(-9) })),
    add: g.change('go', ({ context, payload }) => ({ n: (context.n + payload.n) % 12 })),
    ring: emit(({ context }) => ({ type: 'ring', n: context.n, to: context.n > 6 ? ['ann'] : undefined })),
    more: enqueueActions(({ enqueue, check, context }) => {
      if (check(({ context }) => context.n % 3 === 0)) enqueue.assign({ n: (context.n + 1) % 12 })
      else enqueue.raise({ type: 'back', by: 'ann', payload: {} })
      enqueue.emit({ type: 'more' })
    }),
  },
}).createMachine({
  id: 'maze',
  type: 'parallel',
  context: { log: [], n: 0 },
  on: {
    go: [
      { guard: 'big', actions: ['add', 'ring'] },
      { guard: not('big'), actions: ['add'] },
    ],
    'player.*': { actions: { type: 'note', params: ({ event }) => ({ text: event.type }) } },
  },
  states: {
    left: {
      initial: 'a',
      entry: { type: 'note', params: { text: 'left' } },
      states: {
        a: {
          after: { 50: 'b', soon: { target: 'c', guard: 'even' } },
          on: { go: { guard: and(['even', ({ event }) => event.payload.n > 2]), target: 'c' } },
        },
        b: {
          initial: 'x',
          after: { soon: 'a' },
          states: {
            x: { after: { 30: 'y' }, on: { go: 'y' } },
            y: { after: { 40: 'x' }, on: { back: 'x' } },
            last: { type: 'history', history: 'shallow' },
          },
          on: { stop: '#maze.left.c', bell: { target: 'b', reenter: true } },
          exit: { type: 'note', params: { text: 'out of b' } },
        },
        c: {
          entry: raise({ type: 'bell', by: 'ann', payload: {} }, { delay: 70, id: 'alarm' }),
          on: { back: 'b.last', stop: { actions: cancel('alarm') }, bell: { actions: ['ring', 'more'] }, go: 'a' },
        },
      },
    },
    right: {
      initial: 'one',
      states: {
        one: { always: { guard: ({ context }) => context.n > 8, target: 'two' }, on: { bell: 'two' } },
        two: {
          entry: raise({ type: 'back', by: 'ann', payload: {} }),
          initial: 'in',
          states: { in: { on: { back: 'out' } }, out: { always: { guard: stateIn({ left: 'a' }), target: 'in' } } },
          on: { stop: 'one', go: { guard: 'even', target: 'deep' } },
        },
        deep: {
          type: 'parallel',
          states: { p: { initial: 'q', states: { q: { on: { back: 'r' } }, r: {} } } },
          on: { stop: 'was' },
        },
        was: { type: 'history', history: 'deep', target: 'one' },
      },
    },
  },
})
const maze = defineGame(g, machine, { everyone: (s) => s.context })

type Step = { by: number; move: number; n: number; wait: number }
const steps = fc.array(fc.record({ by: fc.nat(11), move: fc.nat(5), n: fc.nat(63), wait: fc.nat(150) }), {
  maxLength: 40,
})
const players = (n: number) => Array.from({ length: n }, (_, i) => `p${i}`)

/** XState's public, pure functions, with timers and emits read from the actions that they return. */
const reference = (author: AnyStateMachine) => {
  const read = (
    [snapshot, actions]: readonly [AnyMachineSnapshot, readonly { type: string; params?: unknown }[]],
    before: readonly Deadline[],
    order: number,
    at: number,
  ) => {
    const running = new Map(before.map((timer) => [timer.id, timer]))
    const emits: unknown[] = []
    let next = order
    for (const { type, params } of actions) {
      const { sendId, id, delay, event } = Object(params)
      if (type === 'xstate.cancel') running.delete(sendId)
      if (type === 'xstate.emit') emits.push(event)
      if (type !== 'xstate.raise' || delay === undefined) continue
      running.delete(id)
      running.set(id, { id, due: at + delay, order: next, event })
      next += 1
    }
    const deadlines = snapshot.status === 'active' ? [...running.values()] : []
    return { snapshot, deadlines, nextOrder: next, emits }
  }
  return {
    start: (input: object, stamp: Stamp) =>
      read(
        stepping(stamp, () => initialTransition(author, input)),
        [],
        0,
        stamp.at,
      ),
    step: (state: ReturnType<typeof read>, event: object, stamp: Stamp) =>
      read(
        stepping(stamp, () => transition(author, state.snapshot, Object.assign({ type: '' }, event))),
        state.deadlines,
        state.nextOrder,
        stamp.at,
      ),
  }
}
const shown = (state: RulesState, emits: Stepped['emits'] | readonly unknown[]) => {
  if (!isMachineSnapshot(state.snapshot)) throw new Error('no snapshot')
  const { value, context, status, _nodes, historyValue } = state.snapshot
  const history = Object.entries(historyValue).map(([key, nodes]) => [key, nodes?.map(({ id }) => id)])
  const nodes = _nodes.map(({ id }: { id: string }) => id)
  return { value, context, status, nodes, history, deadlines: state.deadlines, nextOrder: state.nextOrder, emits }
}
/** The runner's emits as XState has them. */
const asEmitted = ({ emits }: Stepped) => emits.map(({ event, to }) => (to === null ? event : { ...event, to }))

type Each = (next: Stepped, event: object, stamp: Stamp, fired: Deadline | null) => void

/** `scale`: ms per unit of waiting, so that its timers fall due now and then. */
const games = [
  { game: tictactoe, seats: 2, scale: 1, payload: ({ n }: Step) => ({ cell: n % 9 }) },
  { game: mafia, seats: 8, scale: 1_000, payload: ({ n }: Step) => ({ target: `p${n % 8}` }) },
  { game: bench, seats: 8, scale: 1, payload: ({ n }: Step) => ({ cell: n, value: n }) },
  { game: maze, seats: 4, scale: 1, payload: ({ n }: Step) => ({ n: n % 10 }) },
]

describe.each(games)('the runner on $game.id', ({ game, seats, scale, payload }) => {
  const runner = createRunner(game)
  const begin = (seed: number) =>
    runner.start({ players: players(seats), options: runner.parseOptions(undefined), at: 0, seed })
  const eventOf = (step: Step) => {
    const by = `p${step.by % (seats + 1)}`
    if (step.move === 0 && step.n < 8) return { type: 'player.left', by }
    return { type: runner.moves[step.move % runner.moves.length] ?? '', by, payload: payload(step) }
  }
  /** Fires what is due, then takes the event, as a room does. */
  const play = (from: RulesState, cast: readonly Step[], each: Each) => {
    let state = from
    let at = 0
    for (const [turn, step] of cast.entries()) {
      at += step.wait * scale
      const due = () =>
        state.deadlines.filter((timer) => timer.due <= at).toSorted((a, b) => a.due - b.due || a.order - b.order)
      for (let [timer] = due(); timer !== undefined; [timer] = due()) {
        const stamp = { at: timer.due, seed: turn }
        const next = runner.fire(state, timer, stamp)
        each(next, timer.event, stamp, timer)
        state = next.state
      }
      const event = eventOf(step)
      const stamp = { at, seed: turn }
      const next = runner.step(state, { ...event, ...stamp })
      each(next ?? { state, emits: [] }, event, stamp, null)
      state = next?.state ?? state
    }
  }

  it('equals the public transition() in value, context, status, history, timers and emits', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (cast, seed) => {
        const xstate = reference(game.machine)
        const first = begin(seed)
        let theirs = xstate.start({ players: players(seats), options: runner.parseOptions(undefined) }, { at: 0, seed })
        expect(shown(first.state, asEmitted(first))).toEqual(shown(theirs, theirs.emits))
        play(first.state, cast, (next, event, stamp, fired) => {
          if (theirs.snapshot.status === 'done') return
          const deadlines = theirs.deadlines.filter(({ id }) => id !== fired?.id)
          theirs = xstate.step({ ...theirs, deadlines }, event, stamp)
          expect(shown(next.state, asEmitted(next))).toEqual(shown(theirs, theirs.emits))
        })
      }),
      { numRuns: 150 },
    )
  })

  it('goes on from a stored state, timers included, as it would have gone on', () => {
    fc.assert(
      fc.property(steps, steps, fc.nat(), (before, after, seed) => {
        let { state } = begin(seed)
        play(state, before, (next) => {
          state = next.state
        })
        const stored = runner.fromPlain(JSON.parse(JSON.stringify(runner.toPlain(state))))
        expect(shown(stored, [])).toEqual(shown(state, []))
        expect(runner.everyone(stored)).toEqual(runner.everyone(state))
        const [live, woken]: [unknown[], unknown[]] = [[], []]
        play(state, after, (next) => live.push(shown(next.state, next.emits)))
        play(stored, after, (next) => woken.push(shown(next.state, next.emits)))
        expect(woken).toEqual(live)
      }),
      { numRuns: 100 },
    )
  })

  it('changes no state that it was given, and gives the same for the same', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (cast, seed) => {
        const seen: { state: RulesState; was: string }[] = []
        play(begin(seed).state, cast, ({ state }) => seen.push({ state, was: JSON.stringify(runner.toPlain(state)) }))
        for (const { state, was } of seen) expect(JSON.stringify(runner.toPlain(state))).toBe(was)
        const again: string[] = []
        play(begin(seed).state, cast, ({ state }) => again.push(JSON.stringify(runner.toPlain(state))))
        expect(again).toEqual(seen.map(({ was }) => was))
      }),
      { numRuns: 40 },
    )
  })
})
