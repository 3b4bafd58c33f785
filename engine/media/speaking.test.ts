import { expect, test } from 'vitest'
import { gameOf } from '../partition/testing/games.ts'
import { ScriptedMediaNode } from '../partition/testing/medianode.ts'
import { startWorld } from '../partition/testing/start.ts'

/** Counts who speaks; `asks`: what its machine waits for. */
const floor = (asks = `'media.speaking'`) =>
  gameOf('floor', {
    machine: `
      context: () => ({ said: [] }),
      on: { add: {}, ${asks ? `${asks}: { actions: assign({ said: ({ context, event }) => [...context.said, (event.payload.speaking ? '' : 'not ') + event.by] }) }` : ''} }`,
    face: 'everyone: (s) => ({ said: s.context.said })',
  })

const here = async (game = floor()) => {
  const { world, ann } = await startWorld(game)
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  const node = new ScriptedMediaNode('n1', world.bus, world.clock)
  await ann.call('r', 'start')
  await ann.call('r', 'media.join')
  await world.clock.advance(1_000)
  const said = () => Object(ann.document('r').game).said
  return { world, ann, bob, node, said }
}

test('rules that ask hear who speaks, as a logged event at most twice a second, the newest last', async () => {
  const { world, node, said } = await here()
  node.speaks('ann')
  await world.clock.advance(0)
  expect(said()).toEqual(['ann'])
  for (const player of ['bob', null, 'bob', 'ann', 'bob']) node.speaks(player)
  await world.clock.advance(499)
  expect(said()).toEqual(['ann'])
  await world.clock.advance(1)
  expect(said()).toEqual(['ann', 'bob'])
  node.speaks(null)
  node.speaks('bob')
  await world.clock.advance(2_000)
  expect(said()).toEqual(['ann', 'bob'])
  node.speaks(null)
  await world.clock.advance(2_000)
  expect(said()).toEqual(['ann', 'bob', 'not bob'])
  for (let n = 0; n < 100; n++) {
    node.speaks(n % 2 === 0 ? 'ann' : 'bob')
    await world.clock.advance(50)
  }
  expect(world.engine.rooms.here('r')?.state.seq).toBeLessThanOrEqual(4 + 3 + 11)
  expect(world.errors()).toEqual([])
})

test('a replay of the log comes to the same', async () => {
  const { world, node, ann, said } = await here()
  node.speaks('ann')
  await world.clock.advance(600)
  node.speaks(null)
  await world.clock.advance(600)
  expect(said()).toEqual(['ann', 'not ann'])
  await world.crash(['r'])
  await world.clock.advance(100)
  expect(world.engine.rooms.here('r')?.state.seq).toBe(6)
  ann.rooms.clear()
  await ann.join('r')
  expect(said()).toEqual(['ann', 'not ann'])
})

test('a machine that takes all of media.* asks too, one that takes everything does not', async () => {
  for (const [asks, said] of [
    ["'media.*'", ['ann']],
    ["'*'", []],
  ] as const) {
    const game = await here(floor(asks))
    game.node.speaks('ann')
    await game.world.clock.advance(0)
    expect(game.said()).toEqual(said)
  }
})

test('rules that do not ask log nothing of it', async () => {
  const { world, node } = await here(floor(''))
  const { length } = world.storage.written
  node.speaks('ann')
  await world.clock.advance(2_000)
  expect(world.storage.written).toHaveLength(length)
})

test('who is no player of the room, what another node says, and a room that is not playing, log nothing', async () => {
  const { world, ann, bob, node } = await here()
  await bob.leave('r')
  await world.clock.advance(600)
  const { length } = world.storage.written
  node.speaks('zed')
  await world.clock.advance(600)
  node.speaks('bob')
  await world.clock.advance(600)
  node.speaks('ann', { node: 'n2' })
  node.speaks('ann', { epoch: 7 })
  await world.clock.advance(600)
  expect(world.storage.written).toHaveLength(length)
  await ann.create('q', 'floor')
  await ann.join('q')
  await ann.call('q', 'media.join')
  const open = world.storage.written.length
  node.speaks('ann', { room: 'q' })
  await world.clock.advance(600)
  expect(world.storage.written).toHaveLength(open)
})

test('of a room at several nodes its home says who speaks', async () => {
  const { world, bob, node, said } = await here()
  const other = new ScriptedMediaNode('n2', world.bus, world.clock)
  node.says({ isFull: true })
  await bob.call('r', 'media.join')
  other.speaks('bob')
  await world.clock.advance(1_000)
  expect(said()).toEqual([])
  node.stop()
  await world.clock.advance(4_000)
  other.speaks('bob')
  await world.clock.advance(0)
  expect(said()).toEqual(['bob'])
})
