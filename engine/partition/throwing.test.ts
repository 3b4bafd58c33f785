import { expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import { gameOf } from './testing/games.ts'
import { startWorld } from './testing/start.ts'

const before = `const boom = (when) => { if (when) throw new Error('boom') }`
const bad = (parts: { machine?: string; face?: string; head?: string }) =>
  gameOf('bad', {
    before,
    head: parts.head ?? '',
    machine:
      parts.machine ??
      `context: { sum: 0 }, on: { add: { actions: assign({ sum: ({ context, event }) => context.sum + event.payload }) } }`,
    face: parts.face ?? 'everyone: (s) => ({ sum: s.context.sum })',
  })

const rejected = { err: 'internal', message: 'The rules of this game failed on that; nothing has changed.' }

test.each([
  [
    'a guard',
    {
      machine: `context: { sum: 0 }, on: { add: { guard: ({ event }) => { boom(event.payload === 13); return true }, actions: assign({ sum: ({ context, event }) => context.sum + event.payload }) } }`,
    },
  ],
  [
    'an action',
    {
      machine: `context: { sum: 0 }, on: { add: { actions: assign({ sum: ({ context, event }) => { boom(event.payload === 13); return context.sum + event.payload } }) } }`,
    },
  ],
  ['the view of everyone', { face: `everyone: (s) => { boom(s.context.sum >= 13); return { sum: s.context.sum } }` }],
  [
    'the view of one',
    {
      face: `everyone: (s) => ({ sum: s.context.sum }), only: (s, v) => { boom(v === 'bob' && s.context.sum >= 13); return { me: v } }`,
    },
  ],
])('a throw in %s rejects that move with internal, and the room goes on as it was', async (_, parts) => {
  const { world, ann } = await startWorld(bad(parts))
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  expect(await ann.call('r', 'start')).toEqual({ ok: null })
  expect(await ann.move('r', 'add', 1)).toEqual({ ok: 5 })
  const state = world.engine.rooms.here('r')?.state
  // In one batch with others that are fine.
  world.storage.hold()
  const id0 = bob.send('r', [[5, bob.next(), 'r', 'add', 2]])
  await world.gateway.settle()
  const id1 = ann.send('r', [
    [5, ann.next(), 'r', 'add', 3],
    [5, ann.next(), 'r', 'add', 13],
    [5, ann.next(), 'r', 'add', 4],
  ])
  world.storage.release()
  await world.gateway.answers(id0)
  await world.gateway.answers(id1)
  expect(ann.inbox.filter(([op]) => op === OP.ok || op === OP.err).slice(-3)).toMatchObject([
    [OP.ok, 5, 7],
    [OP.err, 6, rejected.err, rejected.message, undefined],
    [OP.ok, 7, 8],
  ])
  expect(ann.document('r').game).toMatchObject({ sum: 10 })
  expect(state?.seq).toBe(5)
  expect(await ann.move('r', 'add', 13)).toMatchObject(rejected)
  expect(await bob.move('r', 'add', 1)).toEqual({ ok: 9 })
  expect(world.errors().length).toBeGreaterThan(0)
  expect(world.gateway.violations).toEqual([])
})

test('a throw at the start refuses the start, and the room stays open', async () => {
  const { world, ann } = await startWorld(
    bad({ machine: `context: ({ input }) => { boom(input.players.length === 2); return { sum: 0 } }` }),
  )
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  expect(await ann.call('r', 'start')).toMatchObject(rejected)
  expect(ann.document('r').room.phase).toBe('open')
  await bob.leave('r')
  expect(await ann.call('r', 'start')).toEqual({ ok: null })
})

test('a JOIN whose automatic start fails names the end of the log, also after a restart', async () => {
  const { world, ann } = await startWorld(
    bad({
      head: 'players: [2, 2]',
      machine: 'context: () => boom(true)',
      face: 'everyone: () => ({}), autoStart: true',
    }),
  )
  const bob = world.gateway.connect('bob')
  const joined = { ok: { room: 'r', role: 'player', seq: 3 } }
  expect(await bob.join('r')).toEqual(joined)
  expect(world.engine.rooms.here('r')?.state).toMatchObject({ seq: 3, phase: 'open' })
  expect(ann.document('r').room.players).toEqual(['ann', 'bob'])
  await world.crash(['r'])
  expect(await bob.ask('r', [OP.join, bob.ref, 'r', {}])).toEqual(joined)
})

test('a throw on player.left does not keep the player: the event stands, the rules did not see it', async () => {
  const { world, ann } = await startWorld(
    bad({
      machine: `context: { sum: 0 }, on: { 'player.left': { actions: assign({ sum: () => boom(true) }) }, add: { actions: assign({ sum: 1 }) } }`,
    }),
  )
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  await ann.call('r', 'start')
  expect(await bob.leave('r')).toEqual({ ok: null })
  expect(ann.document('r').room.members.bob?.connected).toBe(false)
  expect(world.errors().join()).toContain('boom')
  expect(await ann.move('r', 'add', 1)).toHaveProperty('ok')
  await world.crash(['r'])
  expect(await ann.move('r', 'add', 1)).toHaveProperty('ok')
})

const timer = (delay: number, after: string) => ({
  machine: `context: { sum: 0 }, initial: 'a', on: { add: { actions: assign({ sum: ({ context, event }) => context.sum + event.payload }) } },
    states: { a: { on: { say: 'b' } }, b: { after: { ${delay}: ${after} } }, c: {} }`,
})

test('a timer whose rules throw is tried once, named, and does not loop; moves go on', async () => {
  const { world, ann } = await startWorld(
    bad(timer(1000, `{ target: 'c', actions: assign({ sum: () => boom(true) }) }`)),
  )
  await ann.call('r', 'start')
  await ann.move('r', 'say')
  await world.clock.advance(10_000)
  expect(world.errors().filter((e) => e.includes('boom'))).toHaveLength(1)
  expect(await ann.move('r', 'add', 1)).toHaveProperty('ok')
  // Nor does it keep the room in memory for ever.
  await ann.drop()
  await world.clock.advance(90_000)
  expect(world.engine.rooms.here('r')).toBeUndefined()
})

test.each([0, 1000])('a view that throws after a timer of %i ms gives up the timer, and moves go on', async (delay) => {
  const face = `everyone: (s) => { boom(s.value === 'c'); return { sum: s.context.sum, at: s.value } }`
  const { world, ann } = await startWorld(bad({ ...timer(delay, `'c'`), face }))
  await ann.call('r', 'start')
  const seq = await ann.move('r', 'say')
  expect(seq).toHaveProperty('ok')
  await world.clock.advance(3000)
  expect(await ann.move('r', 'add', 1)).toHaveProperty('ok')
  expect(ann.document('r').game).toEqual({ sum: 1, at: 'b' })
  expect(world.errors().filter((e) => e.includes('boom')).length).toBeLessThan(5)
})

test('a timer after which a view throws does not take a move with it that waited for the same commit', async () => {
  const face = `everyone: (s) => { boom(s.value === 'c'); return { sum: s.context.sum } }`
  const { world, ann } = await startWorld(bad({ ...timer(1000, `'c'`), face }))
  await ann.call('r', 'start')
  await ann.move('r', 'say')
  world.storage.hold()
  ann.send('r', [[OP.move, ann.next(), 'r', 'add', 1]])
  await world.clock.advance(2_000)
  const id = ann.send('r', [[OP.move, ann.next(), 'r', 'add', 1]])
  await world.gateway.settle()
  world.storage.release()
  await world.gateway.answers(id)
  expect(ann.frames(OP.err)).toEqual([])
  expect(ann.document('r').game).toEqual({ sum: 2 })
})

test('what cannot be written to the log is refused, and the room goes on', async () => {
  const deep = `{ '~standard': { version: 1, vendor: 'test', validate: (v) => { let x = 1; if (v === 13) for (let i = 0; i < 200; i++) x = [x]; return { value: x } } } }`
  const { ann } = await startWorld(
    bad({
      head: `moves: { add: ${deep} }`,
      machine: `context: { sum: 0 }, on: { add: { actions: assign({ sum: ({ context }) => context.sum + 1 }) } }`,
    }),
  )
  await ann.call('r', 'start')
  expect(await ann.move('r', 'add', 13)).toMatchObject({ err: 'internal' })
  expect(await ann.move('r', 'add', 1)).toHaveProperty('ok')
})

test('P5 bounded: timers that set each other without delay are given up and named; moves go on', async () => {
  const { world, ann } = await startWorld(
    bad({
      machine: `context: { sum: 0 }, initial: 'a', on: { add: { actions: assign({ sum: ({ context, event }) => context.sum + event.payload }) } },
        states: { a: { on: { say: 'b' } }, b: { after: { 0: 'c' } }, c: { after: { 0: 'b' } } }`,
    }),
  )
  await ann.call('r', 'start')
  expect(await ann.move('r', 'say')).toHaveProperty('ok')
  expect(await ann.move('r', 'add', 1)).toHaveProperty('ok')
  const seq = world.engine.rooms.here('r')?.state.seq ?? 0
  expect(seq).toBeLessThan(1_000)
  await world.clock.advance(60_000)
  expect(world.engine.rooms.here('r')?.state.seq).toBe(seq)
  expect(world.errors().filter((message) => message.includes('without end'))).toHaveLength(1)
  expect(ann.document('r').game).toMatchObject({ sum: 1 })
  expect(world.gateway.violations).toEqual([])
})
