import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PROPERTY_TEST_MS, TOLD_WITH_SEED } from '../../test/property.ts'
import { KeyRing } from '../room/keyring.ts'
import { isPlayer } from '../room/membership.ts'
import { Moment } from '../room/moment.ts'
import { plainState } from '../room/plain.ts'
import { Library } from './library.ts'
import { restoreRoom } from './restore.ts'
import { gameOf } from './testing/games.ts'
import type { ScriptedClient } from './testing/gateway.ts'
import { Poller } from './testing/poller.ts'
import { World } from './testing/world.ts'

/** Drop-in, with a secret each, private and public emits, and a timer that shuffles what is shown to whom. */
const game = gameOf('mixed', {
  head: 'players: [1, 3]',
  machine: `context: { sum: 0, own: {}, round: 0 }, initial: 'a',
    on: {
      add: [
        { guard: ({ event }) => event.payload === 6, actions: emit(({ event }) => ({ type: 'own', to: [event.by] })) },
        { guard: ({ event }) => event.payload === 7, actions: emit({ type: 'all' }) },
        { guard: ({ event }) => event.payload === 8, actions: assign(() => { throw new Error('boom') }) },
        { guard: ({ event }) => event.payload > 0, actions: assign(({ context, event }) => ({
            sum: context.sum + (event.payload % 3), own: { ...context.own, [event.by]: [...(context.own[event.by] ?? []), random() < 0.5] } })) },
      ],
      'player.left': { actions: assign({ own: ({ context, event }) => ({ ...context.own, [event.by]: [] }) }) },
    },
    states: {
      a: { after: { 7000: { target: 'b', actions: assign({ round: ({ context }) => context.round + 1 }) } } },
      b: { after: { 20000: 'a' } },
    }`,
  face: `dropIn: true,
    everyone: (s) => ({ at: s.value, round: s.context.round, ...(s.value === 'b' ? { sum: s.context.sum } : {}) }),
    only: (s, v) => ({ own: v === null ? 'watching' : (s.context.own[v] ?? null), ...(s.value === 'a' ? { sum: v === null ? null : s.context.sum } : {}) })`,
})

const who = fc.constantFrom('ann', 'bob', 'cas', 'dan')
const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('move' as const), who, payload: fc.integer({ min: 0, max: 8 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      who,
      since: fc.boolean(),
      role: fc.option(fc.constantFrom('player' as const, 'spectator' as const), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('poll' as const, 'hold' as const, 'stream' as const), who }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('http' as const),
      who,
      payload: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kick' as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 900, 5_000, 7_000, 61_000, 200_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      how: fc.constantFrom('refused' as const, 'stored' as const, 'lost' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('burst' as const),
      payloads: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 5 }),
    }),
  },
)
type Script = ReturnType<typeof command.generate>['value'][]

/** Runs a script; at its end everything must agree with the log. */
const run = async (script: Script, seed: number): Promise<void> => {
  const world = await World.start([game], seed)
  const host = world.gateway.connect('ann')
  await host.create('r', 'mixed')
  const here = new Map<string, ScriptedClient>([['ann', host]])
  const clientOf = (player: string): ScriptedClient => {
    const client = here.get(player) ?? world.gateway.connect(player)
    here.set(player, client)
    return client
  }
  const pollers = new Map<string, Poller>()
  const pollerOf = (player: string): Poller => {
    const poller = pollers.get(player) ?? new Poller(world.gateway, 'r', player)
    pollers.set(player, poller)
    return poller
  }
  for (const step of script) {
    if (step.do === 'poll') {
      const poller = pollerOf(step.who)
      // The first may bring the player back.
      await poller.poll()
      if (Array.isArray(await poller.poll())) holdsTheHead(world, poller)
    }
    if (step.do === 'hold') await pollerOf(step.who).hold()
    if (step.do === 'stream') await stream(world, pollerOf(step.who))
    if (step.do === 'http') {
      const { client } = pollerOf(step.who)
      // Who watches on a connection and takes a seat over HTTP is left out: the gateway of this test does not follow that.
      const watches = here.get(step.who)?.rooms.get('r')?.role === 'spectator'
      if (step.payload === undefined && watches) continue
      if (step.payload === undefined) await client.join('r')
      else await client.move('r', 'add', step.payload)
    }
    if (step.do === 'move') await clientOf(step.who).move('r', 'add', step.payload)
    if (step.do === 'join') {
      const client = clientOf(step.who)
      const since = client.rooms.get('r')?.seq
      const role = step.role === undefined ? {} : { role: step.role }
      await client.join('r', { ...role, ...(step.since && since ? { since } : {}) })
    }
    if (step.do === 'leave') await clientOf(step.who).leave('r')
    if (step.do === 'kick') await host.call('r', 'kick', { player: step.who })
    if (step.do === 'drop') {
      await clientOf(step.who).drop()
      here.delete(step.who)
    }
    if (step.do === 'wait') await world.clock.advance(step.ms)
    if (step.do === 'crash') await world.crash(['r'])
    if (step.do === 'fail') world.storage.fail(step.how)
    if (step.do === 'burst') {
      for (const client of here.values())
        client.send(
          'r',
          step.payloads.map((payload) => [5, client.next(), 'r', 'add', payload]),
        )
      await world.gateway.settle()
    }
  }
  await world.clock.advance(1_500)
  await agree(world)
}

/** Goes on in a stream where the polls are. */
const stream = async (world: World, { player, session, since, document }: Poller): Promise<void> => {
  const connection = world.gateway.connect(player, { session })
  connection.rooms.set('r', { role: 'player', seq: since, heard: since, document })
  await connection.stream('r', since)
}

const holdsTheHead = (world: World, { player, document, emits }: Poller): void => {
  const state = world.engine.rooms.here('r')?.state
  if (state === undefined) throw new Error('the room was read just now')
  const viewer = isPlayer(state, player) ? player : null
  expect(document).toEqual(new Moment(state, [], game.runner, null).document(viewer))
  const heard = emits.map(([, , seq]) => seq)
  expect(heard).toEqual([...new Set(heard)].toSorted((a, b) => a - b))
}

const agree = async (world: World): Promise<void> => {
  expect(world.gateway.violations).toEqual([])
  const live = await world.engine.rooms.get('r')
  if (live === null) throw new Error('the room is there')
  const { state } = live
  const { storage, chance } = world
  const bare = { read: storage.read, last: storage.last, index: storage.index, snapshot: async () => null }
  const library = await Library.open(world.games, storage)
  const restored = await restoreRoom('r', { storage: bare, library, keys: new KeyRing(storage, chance) })
  if (restored === null) throw new Error('the log is there')
  expect(plainState(restored.state, game.runner)).toEqual(plainState(state, game.runner))
  const moment = new Moment(state, [], game.runner, null)
  for (const client of world.gateway.clients) {
    const at = client.rooms.get('r')
    if (at === undefined) continue
    // Who took a seat on one connection watches on with the others.
    const watchesOn =
      at.role === 'spectator' && world.gateway.clients.some((c) => c.player === client.player && c !== client)
    if (!watchesOn) expect(at.role).toBe(isPlayer(state, client.player) ? 'player' : 'spectator')
    expect(at.document).toEqual(moment.document(at.role === 'player' ? client.player : null))
  }
}

test(
  'P2 exactly once, P3 ordered: whatever members, clock, store and crashes do, the log replays to the live state, and each connection and each poll holds its document',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), fc.integer({ min: 1, max: 1_000_000 }), run),
      {
        numRuns: 60,
        ...TOLD_WITH_SEED,
      },
    )
  },
  PROPERTY_TEST_MS,
)
