import { expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import { loadGame } from '../rules/load.ts'
import { counter } from './testing/games.ts'
import type { ScriptedClient } from './testing/gateway.ts'
import { playing } from './testing/playing.ts'
import { Poller } from './testing/poller.ts'
import { startWorld } from './testing/start.ts'
import { World } from './testing/world.ts'

test('what passes beside the log is kept for who polls: once, not what they sent themselves, and never for who may not hear it', async () => {
  const face = `everyone: (s) => ({ sum: s.context.sum }), channels: {
    dot: { maxBytes: 8, rate: 100, from: () => true, to: (s, p, v) => v !== null } }`
  const { world, ann, bob, eve } = await playing(counter({ face }))
  await bob.poll()
  await eve.poll()
  ann.send('r', [[OP.cast, 'r', 'dot', 1]])
  bob.client.send('r', [[OP.cast, 'r', 'dot', 2]])
  await ann.call('r', 'chat', { text: 'Hello, Bob' })
  await eve.client.call('r', 'chat', { text: 'Psst' })
  await bob.client.call('r', 'chat', { text: 'Hello, Ann' })
  expect(ann.frames(OP.castOut)).toMatchObject([[OP.castOut, 'r', 'bob', 'dot', 2]])
  await bob.poll()
  await bob.poll()
  await eve.poll()
  expect(bob.inbox.filter(([op]) => op === OP.castOut)).toEqual([[OP.castOut, 'r', 'ann', 'dot', 1]])
  expect(bob.topic('chat')).toMatchObject([{ text: 'Hello, Bob' }, { text: 'Hello, Ann' }])
  expect(eve.inbox.filter(([op]) => op === OP.castOut)).toEqual([])
  expect(eve.topic('chat')).toMatchObject([{ text: 'Psst' }])
  // To the same player's other session it goes.
  const other = new Poller(world.gateway, 'r', 'bob', 'another-session-of-bob')
  await other.poll()
  bob.client.send('r', [[OP.cast, 'r', 'dot', 3]])
  await world.gateway.settle()
  await bob.poll()
  await other.poll()
  expect([bob.casts().length, other.casts().length]).toEqual([1, 1])
})

test('P4 private: in a night and a day of mafia a poll is told what a WebSocket of the same member is told, and nothing else', async () => {
  const { world, ann } = await startWorld(await loadGame('games/mafia'), { night: 60, day: 60 })
  const others = ['bob', 'cas', 'dan', 'eve'].map((name) => world.gateway.connect(name))
  for (const client of others) await client.join('r')
  const watcher = world.gateway.connect('fay')
  await watcher.join('r', { role: 'spectator' })
  const all = [ann, ...others]
  const polling = [...all, watcher].map((client) => ({
    client,
    poller: new Poller(world.gateway, 'r', client.player, 'the-session-that-polls'),
  }))
  for (const { poller } of polling) await poller.poll()
  await world.clock.advance(1_000)
  for (const { poller } of polling) await poller.poll()
  for (const { client, poller } of polling) [client.inbox.length, poller.inbox.length] = [0, 0]
  await ann.call('r', 'start')
  const role = (client: ScriptedClient) => (client.document('r').game as Record<string, unknown>).role
  const killer = all.find((client) => role(client) === 'mafia') ?? ann
  const town = all.filter((client) => client !== killer)
  const [victim, ...living] = town
  await killer.call('r', 'chat', { text: 'Whom?', to: 'mafia' })
  await killer.move('r', 'vote', { target: victim?.player ?? '' })
  await victim?.call('r', 'chat', { text: 'It was them', to: 'dead' })
  await living[0]?.call('r', 'chat', { text: 'Good morning' })
  await watcher.call('r', 'chat', { text: 'Poor them' })
  await world.gateway.settle()
  const beside = (inbox: ScriptedClient['inbox']) => inbox.filter(([op]) => op === OP.note || op === OP.castOut)
  for (const { client, poller } of polling) {
    await poller.poll()
    expect(beside(poller.inbox)).toEqual(beside(client.inbox))
    expect(poller.document).toEqual(client.document('r'))
    const texts = poller.topic('chat').map((line) => Reflect.get(Object(line), 'text'))
    expect(texts.includes('Whom?')).toBe(client === killer)
    expect(texts.includes('It was them')).toBe(client === victim)
    expect(texts.includes('Good morning')).toBe(true)
    expect(texts.includes('Poor them')).toBe(client === watcher)
  }
})

test('a session that sends over HTTP and listens to a stream does not hear its own CASTs, and nothing is kept for it', async () => {
  const face = `everyone: (s) => ({ sum: s.context.sum }), channels: { dot: { maxBytes: 8, rate: 100, from: () => true, to: () => true } }`
  const { world, ann, bob } = await playing(counter({ face }))
  await bob.poll()
  const stream = world.gateway.connect('bob', { session: bob.session })
  await stream.stream('r')
  bob.client.send('r', [[OP.cast, 'r', 'dot', 1]])
  ann.send('r', [[OP.cast, 'r', 'dot', 2]])
  await world.gateway.settle()
  expect(stream.frames(OP.castOut)).toMatchObject([[OP.castOut, 'r', 'ann', 'dot', 2]])
  await bob.poll()
  expect(bob.casts()).toEqual([])
  await stream.drop()
  ann.send('r', [[OP.cast, 'r', 'dot', 3]])
  await world.gateway.settle()
  await bob.poll()
  expect(bob.inbox.filter(([op]) => op === OP.castOut)).toMatchObject([[OP.castOut, 'r', 'ann', 'dot', 3]])
})

test('P5 bounded: 32 frames and 16 KiB are kept, the newest', async () => {
  const face = `everyone: (s) => ({ sum: s.context.sum }), channels: { dot: { maxBytes: 4000, rate: 1000, from: () => true, to: () => true } }`
  const { world, ann, bob } = await playing(counter({ face }))
  await world.clock.advance(1_000)
  await bob.poll()
  for (let n = 0; n < 100; n++) ann.send('r', [[OP.cast, 'r', 'dot', n]])
  await world.gateway.settle()
  await bob.poll()
  const payloads = bob.inbox.flatMap((frame) => (frame[0] === OP.castOut ? [frame[4]] : []))
  expect(payloads).toEqual(Array.from({ length: 32 }, (_, n) => 68 + n))
  for (let n = 0; n < 20; n++) ann.send('r', [[OP.cast, 'r', 'dot', new Uint8Array(4_000)]])
  await world.gateway.settle()
  const before = bob.bytes.length
  await bob.poll()
  const bytes = bob.bytes.slice(before).reduce((sum, frame) => sum + frame.length, 0)
  expect(bytes).toBeGreaterThan(4_000)
  expect(bytes).toBeLessThan(17_000)
})

test('who comes is told the chat so far, once, and who polls on only what is new', async () => {
  const { world, ann, bob } = await playing()
  await ann.call('r', 'chat', { text: 'One' })
  await bob.poll()
  expect(bob.topic('chat')).toMatchObject([{ text: 'One' }])
  await ann.call('r', 'chat', { text: 'Two' })
  await bob.poll()
  expect(bob.topic('chat')).toMatchObject([{ text: 'One' }, { text: 'Two' }])
  await world.clock.advance(60_000)
  await ann.call('r', 'chat', { text: 'Three' })
  await bob.poll()
  expect(bob.topic('chat').slice(2)).toMatchObject([{ text: 'One' }, { text: 'Two' }, { text: 'Three' }])
  const stream = world.gateway.connect('bob', { session: bob.session })
  stream.rooms.set('r', { role: 'player', seq: bob.since, heard: bob.since, document: bob.document })
  await stream.stream('r', bob.since)
  expect(stream.frames(OP.note).filter(([, , topic]) => topic === 'chat')).toHaveLength(3)
  // Who reads from the start has nothing.
  bob.since = 0
  await stream.drop()
  await bob.poll()
  bob.since = 0
  await bob.poll()
  expect(bob.topic('chat').slice(5)).toMatchObject([
    { text: 'One' },
    { text: 'Two' },
    { text: 'Three' },
    { text: 'One' },
    { text: 'Two' },
    { text: 'Three' },
  ])
})

test('who may write where is told to those who only poll', async () => {
  const world = await World.start([await loadGame('games/mafia')])
  const pollers = ['ann', 'bob', 'cas', 'dan', 'eve'].map((name) => new Poller(world.gateway, 'r', name))
  const [ann] = pollers
  await ann?.client.create('r', 'mafia', { night: 60, day: 60 })
  for (const { client } of pollers) await client.join('r')
  for (const poller of pollers) await poller.poll()
  await ann?.client.call('r', 'start')
  for (const poller of pollers) {
    await poller.poll()
    const isMafia = Reflect.get(Object(poller.document?.game), 'role') === 'mafia'
    expect(poller.topic('chat.audiences')).toEqual([{ to: isMafia ? ['mafia'] : [] }])
  }
})
