import { expect, test } from 'vitest'
import type { EngineBeat, Envelope } from '../../bus/messages.ts'
import { ENGINES_SUBJECT, gatewaySubject, PARTITIONS } from '../../bus/subjects.ts'
import { counter } from './testing/games.ts'
import { ScriptedGateway } from './testing/gateway.ts'
import { startWorld } from './testing/start.ts'
import type { World } from './testing/world.ts'

/** Ann at one gateway, Bob at another, in one room. */
const apart = async () => {
  const { world, ann } = await startWorld(counter())
  const other = new ScriptedGateway('g2', world.bus, world.clock)
  const bob = other.connect('bob')
  await bob.join('r')
  const isHere = () => ann.document('r').room.members.bob?.connected
  return { world, ann, other, bob, isHere }
}

/** What engines send to a gateway from now on. */
const listen = (world: World, gateway: string): Envelope[] => {
  const heard: Envelope[] = []
  world.bus.subscribe(gatewaySubject(gateway), (message) => {
    if (message.kind === 'envelope') heard.push(message)
  })
  return heard
}

test('a gateway that falls silent is gone after 3 s: its players are dropped when their grace ends, and nothing is sent to it', async () => {
  const { world, ann, other, isHere } = await apart()
  const sent = listen(world, 'g2')
  await world.clock.advance(60_000)
  expect(isHere()).toBe(true)
  other.beats = false
  await world.clock.advance(7_900)
  expect(isHere()).toBe(true)
  await world.clock.advance(1_200)
  expect(isHere()).toBe(false)
  sent.length = 0
  await ann.move('r', 'add', 1)
  await world.clock.advance(60_000)
  expect(sent).toEqual([])
  expect(world.engine.rooms.here('r')?.attachments.of('bob')).toEqual([])
  expect(world.engine.rooms.here('r')?.attachments.of('ann')).toHaveLength(1)
})

test('players of a gateway that is gone who come back elsewhere within their grace are not dropped', async () => {
  const { world, ann, other, isHere } = await apart()
  other.beats = false
  await world.clock.advance(7_900)
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  await world.clock.advance(60_000)
  expect(isHere()).toBe(true)
  await ann.move('r', 'add', 1)
  expect(bob.document('r')).toEqual(ann.document('r'))
})

test('requests are signs of life as beats are', async () => {
  const { world, other, bob, isHere } = await apart()
  other.beats = false
  for (let second = 0; second < 30; second++) {
    await world.clock.advance(1_000)
    await bob.move('r', 'add', 1)
  }
  expect(isHere()).toBe(true)
})

test('while the bus is down nobody is taken for gone, and after it there is time to be heard', async () => {
  const { world, other, isHere } = await apart()
  const { publish } = world.bus
  world.bus.publish = () => {}
  await world.clock.advance(120_000)
  world.bus.publish = publish
  expect(isHere()).toBe(true)
  other.beats = false
  await world.clock.advance(2_900)
  other.beats = true
  await world.clock.advance(60_000)
  expect(isHere()).toBe(true)
})

test('one that is connected through a gateway that was never heard to beat counts from the moment it was attached', async () => {
  const { world } = await startWorld(counter())
  const silent = new ScriptedGateway('g3', world.bus, world.clock)
  silent.beats = false
  await world.clock.advance(30_000)
  // Its request waits in the room for longer than the gateway lives.
  world.storage.hold()
  const cas = silent.connect('cas')
  cas.send('r', [[3, cas.next(), 'r', {}]])
  await world.clock.advance(30_000)
  world.storage.release()
  await world.gateway.settle()
  const attached = () => world.engine.rooms.here('r')?.attachments.of('cas').length
  expect(attached()).toBe(1)
  await world.clock.advance(2_900)
  expect(attached()).toBe(1)
  await world.clock.advance(1_200)
  expect(attached()).toBe(0)
})

test('P3 a gateway that was taken for gone and lives on sees a hole at once, and never a number that it has read', async () => {
  const { world, ann, other, bob, isHere } = await apart()
  const sent = listen(world, 'g2')
  await bob.move('r', 'add', 1)
  other.beats = false
  await world.clock.advance(6_000)
  const last = Math.max(...sent.map(({ number }) => number))
  sent.length = 0
  other.beats = true
  await world.clock.advance(1_000)
  expect(sent[0]).toMatchObject({ number: last + 1, items: [] })
  expect(other.violations).toEqual([`envelope ${last + 1} of ${sent[0]?.engine} after ${last}`])
  await other.reattach('r')
  await ann.move('r', 'add', 2)
  expect(bob.document('r')).toEqual(ann.document('r'))
  await world.clock.advance(60_000)
  expect(isHere()).toBe(true)
  expect(other.violations).toHaveLength(1)
})

test('an engine says what it owns once a second, and at once to a gateway that comes', async () => {
  const { world } = await startWorld(counter())
  const beats: EngineBeat[] = []
  world.bus.subscribe(ENGINES_SUBJECT, (message) => {
    if (message.kind === 'engine-beat') beats.push(message)
  })
  await world.clock.advance(10_000)
  expect(beats).toHaveLength(10)
  const { owns } = beats[0] ?? { owns: [] }
  expect(new Set(owns.filter((_, i) => i % 2 === 0)).size).toBe(PARTITIONS)
  expect(new Set(owns.filter((_, i) => i % 2 === 1)).size).toBe(1)
  beats.length = 0
  new ScriptedGateway('new', world.bus, world.clock)
  await world.clock.advance(0)
  expect(beats).toHaveLength(1)
  await world.engine.close()
  beats.length = 0
  await world.clock.advance(10_000)
  expect(beats).toEqual([])
})

test('what an engine that takes over owns is said at once', async () => {
  const { world } = await startWorld(counter())
  const beats: EngineBeat[] = []
  world.bus.subscribe(ENGINES_SUBJECT, (message) => {
    if (message.kind === 'engine-beat') beats.push(message)
  })
  await world.crash()
  expect(beats.at(-1)?.owns).toHaveLength(2 * PARTITIONS)
})

test('a list of rooms says whose part it is, and of how many engines', async () => {
  const { world, ann } = await startWorld(counter())
  await ann.create('shown', 'counter', null, { public: true })
  await world.gateway.ask({ type: 'rooms', game: null })
  const { engine, engines } = world.engine.status()
  expect(world.gateway.items.filter(({ kind }) => kind === 'told')).toMatchObject([
    { value: { rooms: [{ room: 'shown' }] }, share: { engine, engines } },
  ])
})
