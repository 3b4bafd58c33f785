import { expect, test } from 'vitest'
import type { MediaPolicy } from '../../bus/media-messages.ts'
import { threeInARow } from '../../test/three-in-a-row.ts'
import { counter } from '../partition/testing/games.ts'
import { startWorld } from '../partition/testing/start.ts'
import { loadGame } from '../rules/load.ts'
import { hashOf, nothingOf, policyOf } from './matrix.ts'

/** The policy of room `r`, as it stands after what was done there. */
const policyAfter = async (
  game: ReturnType<typeof counter>,
  done: (all: Awaited<ReturnType<typeof seated>>) => Promise<unknown>,
) => {
  const all = await seated(game)
  await done(all)
  const room = all.world.engine.rooms.here('r')
  if (room === undefined) throw new Error('no room')
  return policyOf(room.state, room.game.runner)
}

const seated = async (game: ReturnType<typeof counter>) => {
  const { world, ann } = await startWorld(game)
  const [bob, cas] = [world.gateway.connect('bob'), world.gateway.connect('cas')]
  await bob.join('r')
  await cas.join('r')
  return { world, ann, bob, cas }
}

const EVERYBODY: MediaPolicy = {
  players: ['ann', 'bob', 'cas'],
  viewers: {
    ann: { see: ['bob', 'cas'], hear: ['bob', 'cas'] },
    bob: { see: ['ann', 'cas'], hear: ['ann', 'cas'] },
    cas: { see: ['ann', 'bob'], hear: ['ann', 'bob'] },
  },
  spectators: { see: ['ann', 'bob', 'cas'], hear: ['ann', 'bob', 'cas'] },
}
const NONE = { see: [], hear: [] }
const NOBODY: MediaPolicy = {
  players: EVERYBODY.players,
  viewers: { ann: NONE, bob: NONE, cas: NONE },
  spectators: NONE,
}
const face = (media: string) =>
  counter({ face: `everyone: (s) => ({ sum: s.context.sum }), lobbyMedia: 'none', media: (s, viewer) => (${media})` })

test('rules without media: in the lobby and in play all see and hear the players, never themselves', async () => {
  expect(await policyAfter(counter(), async () => {})).toEqual(EVERYBODY)
  expect(await policyAfter(counter(), ({ ann }) => ann.call('r', 'start'))).toEqual(EVERYBODY)
})

test('while the room is open lobbyMedia counts and not the rules; from the start on the rules', async () => {
  const game = face(
    `viewer === null ? { see: 'none', hear: ['bob'] } : { see: ['ann', 'cas', 'zed', viewer], hear: s.context.sum > 0 ? 'all' : 'none' }`,
  )
  expect(await policyAfter(game, async () => {})).toEqual(NOBODY)
  expect(
    await policyAfter(game, async ({ ann }) => {
      await ann.call('r', 'start')
      await ann.move('r', 'add', 1)
    }),
  ).toEqual({
    players: EVERYBODY.players,
    viewers: {
      ann: { see: ['cas'], hear: ['bob', 'cas'] },
      bob: { see: ['ann', 'cas'], hear: ['ann', 'cas'] },
      cas: { see: ['ann'], hear: ['ann', 'bob'] },
    },
    spectators: { see: [], hear: ['bob'] },
  })
})

test('who left or was kicked is in no row and no list, in the lobby and in play; who only dropped is', async () => {
  const gone = { players: ['ann'], viewers: { ann: NONE }, spectators: { see: ['ann'], hear: ['ann'] } }
  const go = async ({ ann, bob }: Awaited<ReturnType<typeof seated>>) => {
    await bob.leave('r')
    await ann.call('r', 'kick', { player: 'cas' })
  }
  expect(await policyAfter(counter(), go)).toEqual(gone)
  expect(
    await policyAfter(counter(), async (all) => {
      await all.ann.call('r', 'start')
      await go(all)
    }),
  ).toEqual(gone)
  const dropped = await policyAfter(counter(), async ({ world, ann, bob }) => {
    await ann.call('r', 'start')
    await bob.drop()
    await world.clock.advance(6_000)
    expect(ann.document('r').room.members.bob?.connected).toBe(false)
  })
  expect(dropped).toEqual(EVERYBODY)
})

test('after the end the rules still say who sees and hears whom', async () => {
  const tictactoe = await loadGame('games/tictactoe')
  const { world, ann } = await startWorld(tictactoe)
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  for (const [who, cell] of threeInARow(ann, bob)) await who.move('r', 'mark', { cell })
  const room = world.engine.rooms.here('r')
  if (room === undefined) throw new Error('no room')
  expect(room.state.phase).toBe('over')
  expect(policyOf(room.state, room.game.runner).viewers.bob).toEqual({ see: ['ann'], hear: ['ann'] })
})

test('the hash is that of all a policy says', () => {
  const other = { ...EVERYBODY, spectators: { ...EVERYBODY.spectators, hear: [] } }
  expect(hashOf(EVERYBODY)).toBe(hashOf(structuredClone(EVERYBODY)))
  expect(hashOf(other)).not.toBe(hashOf(EVERYBODY))
  expect(hashOf(NOBODY)).not.toBe(hashOf(EVERYBODY))
})

test('nothing is a row without anybody for each player', async () => {
  const { world } = await seated(counter())
  const room = world.engine.rooms.here('r')
  if (room === undefined) throw new Error('no room')
  expect(nothingOf(room.state)).toEqual(NOBODY)
})
