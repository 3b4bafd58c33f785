import { expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import { counter } from './testing/games.ts'
import { heldPoll, isConnected, liveRoom, playing } from './testing/playing.ts'
import { Poller } from './testing/poller.ts'

test('a player who polls is present: for what each poll says, then for the grace, and returns with the next', async () => {
  const { world, ann, bob } = await playing()
  for (let n = 0; n < 30; n++) {
    await world.clock.advance(1_000)
    await bob.poll()
  }
  expect(isConnected(ann, 'bob')).toBe(true)
  await world.clock.advance(14_900)
  expect(isConnected(ann, 'bob')).toBe(true)
  await world.clock.advance(200)
  expect(isConnected(ann, 'bob')).toBe(false)
  await bob.poll()
  await world.gateway.settle()
  expect(isConnected(ann, 'bob')).toBe(true)
  await bob.poll(35_000)
  expect(bob.document?.room.members.bob?.connected).toBe(true)
  await world.clock.advance(39_900)
  expect(isConnected(ann, 'bob')).toBe(true)
  await world.clock.advance(200)
  expect(isConnected(ann, 'bob')).toBe(false)
})

test('what a player sends over HTTP counts as presence for 10 s, and brings who was dropped back', async () => {
  const { world, ann, bob } = await playing()
  await world.clock.advance(14_900)
  expect(isConnected(ann, 'bob')).toBe(true)
  await bob.client.move('r', 'add', 1)
  await world.clock.advance(14_900)
  expect(isConnected(ann, 'bob')).toBe(true)
  await world.clock.advance(200)
  expect(isConnected(ann, 'bob')).toBe(false)
  expect(await bob.client.move('r', 'add', 1)).toHaveProperty('ok')
  expect(isConnected(ann, 'bob')).toBe(true)
})

test('a spectator over HTTP is a member for 10 s after each request, and then JOINs again', async () => {
  const { world, eve } = await playing()
  for (let n = 0; n < 5; n++) {
    await world.clock.advance(9_000)
    expect(Array.isArray(await eve.poll())).toBe(true)
  }
  await world.clock.advance(9_000)
  expect(await eve.client.call('r', 'chat', { text: 'Psst' })).toHaveProperty('ok')
  expect(await eve.client.move('r', 'add', 1)).toMatchObject({ err: 'forbidden' })
  await world.clock.advance(10_000)
  expect(await eve.poll()).toBe('not_member')
  expect(await eve.client.call('r', 'chat', { text: 'Psst' })).toMatchObject({ err: 'not_member' })
  expect(await eve.client.move('r', 'add', 1)).toMatchObject({ err: 'not_member' })
  expect(await eve.client.leave('r')).toMatchObject({ err: 'not_member' })
  await eve.client.join('r', { role: 'spectator' })
  expect(Array.isArray(await eve.poll())).toBe(true)
})

test('LEAVE and kick end visits, and a late copy of a poll brings none back', async () => {
  const { world, ann, bob, eve } = await playing()
  const late = eve.client.publishRead('r', 0, 10_000, null)
  await world.gateway.answers(late)
  expect(await eve.client.leave('r')).toEqual({ ok: null })
  eve.client.publishRead('r', 0, 10_000, null, late)
  await world.gateway.settle()
  expect(await eve.poll()).toBe('not_member')
  await ann.call('r', 'kick', { player: 'bob' })
  expect(await bob.poll()).toBe('not_member')
  expect(await bob.client.call('r', 'chat', { text: 'Hello' })).toMatchObject({ err: 'not_member' })
  await world.gateway.settle()
  expect(liveRoom(world)?.attachments.spectators).toBe(0)
  await world.clock.advance(1_000)
  expect(ann.frames(OP.note).at(-1)).toEqual([OP.note, 'r', 'spectators', 0])
})

test('P5 bounded: the rate of chat holds on while a player is here by any means, and is forgotten with the last', async () => {
  const { world, bob } = await playing()
  const socket = world.gateway.connect('bob')
  await socket.join('r')
  await bob.poll()
  for (let n = 0; n < 5; n++) expect(await socket.call('r', 'chat', { text: `${n}` })).toHaveProperty('ok')
  await socket.drop()
  expect(await bob.client.call('r', 'chat', { text: 'too many' })).toMatchObject({ err: 'rate_limited' })
})

test('spectators over HTTP count as those on a WebSocket do, and the others are told anew only when their number changes', async () => {
  const { world, ann, eve } = await playing()
  const counts = () => ann.frames(OP.note).flatMap(([, , topic, data]) => (topic === 'spectators' ? [data] : []))
  await world.clock.advance(1_000)
  expect(counts().at(-1)).toBe(1)
  const socket = world.gateway.connect('dan')
  await socket.join('r', { role: 'spectator' })
  await world.clock.advance(1_000)
  expect(counts().at(-1)).toBe(2)
  await eve.poll()
  const told = counts().length
  for (let n = 0; n < 5; n++) {
    const held = await heldPoll(eve)
    await world.clock.advance(3_000)
    await held.drop()
    await eve.poll()
  }
  expect(counts().length).toBe(told)
  await socket.drop()
  await world.clock.advance(1_000)
  expect(counts().at(-1)).toBe(1)
  await eve.poll()
  expect(eve.topic('spectators').at(-1)).toBe(1)
  await world.clock.advance(37_000)
  expect(counts().at(-1)).toBe(0)
})

test('P5 bounded: a poll of one of many spectators asks nothing of the others, and shows the rules once for all', async () => {
  let viewed = 0
  const game = counter()
  const { only } = game.runner
  const counting: Partial<typeof game.runner> = {
    only: (...about) => {
      viewed += 1
      return only.apply(game.runner, about)
    },
  }
  const { world, ann } = await playing({ ...game, runner: Object.assign(Object.create(game.runner), counting) })
  const watchers = Array.from({ length: 200 }, (_, n) => new Poller(world.gateway, 'r', `w${n}`))
  for (const watcher of watchers) {
    await watcher.client.join('r', { role: 'spectator' })
    await watcher.poll()
  }
  viewed = 0
  await ann.move('r', 'add', 1)
  await ann.call('r', 'chat', { text: 'Hello' })
  for (const watcher of watchers) await watcher.poll()
  expect(watchers.map(({ document }) => document?.game)).toEqual(watchers.map(() => ({ sum: 1, own: 'watching' })))
  expect(viewed).toBeLessThan(10)
})

test('a room in which somebody polls stays in memory', async () => {
  const { world, ann, bob, eve } = await playing()
  await ann.leave('r')
  await bob.client.leave('r')
  for (let n = 0; n < 30; n++) {
    await world.clock.advance(9_000)
    expect(Array.isArray(await eve.poll())).toBe(true)
  }
  await world.clock.advance(100_000)
  expect(liveRoom(world)).toBeUndefined()
})

test('who polls on after the engine died goes on at once, a player and a spectator', async () => {
  const { world, ann, bob, eve } = await playing()
  await bob.poll()
  await eve.poll()
  await world.crash(['r'])
  expect(Array.isArray(await bob.poll())).toBe(true)
  expect(Array.isArray(await eve.poll())).toBe(true)
  await ann.move('r', 'add', 4)
  await bob.poll()
  await eve.poll()
  expect([bob.document?.game, eve.document?.game]).toMatchObject([{ sum: 4 }, { sum: 4 }])
  await world.clock.advance(6_000)
  expect(isConnected(ann, 'bob')).toBe(true)
})
