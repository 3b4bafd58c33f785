import { beforeAll, expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import type { LoadedGame } from '../rules/game.ts'
import { loadGames } from '../rules/load.ts'
import { counter } from './testing/games.ts'
import { World } from './testing/world.ts'

let tictactoe: readonly LoadedGame[] = []
beforeAll(async () => {
  tictactoe = await loadGames(['games/tictactoe'])
})

/** A room of the counter with its host, who plays. */
const open = async (game = counter(), room = 'r') => {
  const world = await World.start([game])
  const ann = world.gateway.connect('ann')
  expect(await ann.create(room, 'counter')).toEqual({ ok: { room } })
  expect(await ann.join(room)).toEqual({ ok: { room, role: 'player', seq: 2 } })
  return { world, ann }
}

test('P3 ordered: a game starts by itself when full, is played and ends; PATCH goes before OK', async () => {
  const world = await World.start(tictactoe)
  const [ann, bob] = [world.gateway.connect('ann'), world.gateway.connect('bob')]
  expect(await ann.create('r', 'tictactoe')).toEqual({ ok: { room: 'r' } })
  expect(await ann.join('r')).toEqual({ ok: { room: 'r', role: 'player', seq: 2 } })
  expect(ann.document('r').room).toEqual({
    phase: 'open',
    game: 'tictactoe',
    version: 1,
    host: 'ann',
    players: ['ann'],
    members: { ann: { name: 'ann', connected: true } },
  })
  expect(await bob.join('r')).toEqual({ ok: { room: 'r', role: 'player', seq: 4 } })
  expect(ann.document('r').room.phase).toBe('playing')
  for (const [who, cell] of [
    [ann, 0],
    [bob, 3],
    [ann, 1],
    [bob, 4],
    [ann, 2],
  ] as const) {
    const before = who.inbox.length
    expect(await who.move('r', 'mark', { cell })).toHaveProperty('ok')
    expect(who.inbox.slice(before).map(([op]) => op)).toEqual([OP.patch, OP.ok])
  }
  expect(bob.document('r')).toMatchObject({ room: { phase: 'over' }, game: { winner: 'ann', turn: null } })
  expect(await bob.move('r', 'mark', { cell: 8 })).toMatchObject({ err: 'illegal_move', message: 'The game is over.' })
  expect(world.gateway.violations).toEqual([])
})

test('x', async () => {
  const { ann, world } = await open()
  expect(await ann.call('r', 'start')).toEqual({ ok: null })
  expect(await ann.move('r', 'add', 3)).toEqual({ ok: 4 })
  expect(ann.document('r').game).toEqual({ sum: 3, own: 3 })
  await world.stop()
})
