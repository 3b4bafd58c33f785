import { expect, test } from 'vitest'
import type { Message } from '../bus/messages.ts'
import { GATEWAYS_SUBJECT, partitionOf } from '../bus/subjects.ts'
import { ScriptedEngine } from './testing/engine.ts'
import { rig } from './testing/rig.ts'

const heads = (frames: unknown[][]) => frames.map((frame) => frame.slice(0, 4))

test('a gateway says that it is there at once, then once a second, until it is closed', async () => {
  const { bus, time, gateway } = rig()
  const heard: Message[] = []
  bus.subscribe(GATEWAYS_SUBJECT, (message) => heard.push(message))
  await time.advance(10_500)
  expect(heard).toEqual(Array.from({ length: 11 }, () => ({ kind: 'gateway-beat', gateway: 'gateway-1' })))
  gateway.close()
  await time.advance(10_000)
  expect(heard).toHaveLength(11)
})

test('P3 who takes a partition over learns at once who is here, also while its old owner lives on', async () => {
  const { member, time, settle, engine, bus, gateway } = rig()
  const ann = await member('ann', 'room')
  await member('bob', 'elsewhere')
  const successor = new ScriptedEngine(bus, 'gateway-1', 'engine-2')
  engine.onRequest = () => {}
  successor.epoch = 5
  successor.seq = 4
  engine.requests.length = 0
  successor.beat(partitionOf('room'), 5, 7, 3)
  await settle()
  expect(engine.attaches).toMatchObject([{ room: 'room', members: [{ conn: 1, since: 1 }] }])
  engine.say(engine.output('room', 2, [1], { document: [1, 2] }))
  successor.say(successor.output('room', 2, [1], { document: [1, 2] }))
  await settle()
  expect(heads(ann.take())).toEqual([[36, 'room', 1, 2]])
  expect(gateway.counters.dropsStale).toBe(1)

  // It says so again and again, and that is no news; nor is what the old one says that has not heard of it yet.
  engine.requests.length = 0
  for (let beat = 0; beat < 5; beat++) {
    successor.beat(partitionOf('room'), 5, 7, 3)
    engine.beat(partitionOf('room'), 1, partitionOf('elsewhere'), 1)
    successor.heartbeat()
    engine.heartbeat()
    await time.advance(1_000)
  }
  expect(engine.attaches).toEqual([])
})

test('when an engine falls silent, the members of rooms that it owns no more are left in peace', async () => {
  const { member, time, settle, engine, bus } = rig()
  await member('ann', 'room')
  await member('bob', 'elsewhere')
  const successor = new ScriptedEngine(bus, 'gateway-1', 'engine-2')
  engine.onRequest = () => {}
  successor.epoch = 2
  engine.heartbeat()
  successor.beat(partitionOf('room'), 2)
  await settle()
  expect(engine.attaches).toMatchObject([{ room: 'room' }])
  engine.requests.length = 0
  for (let half = 0; half < 6; half++) {
    successor.heartbeat()
    await time.advance(500)
  }
  expect(new Set(engine.attaches.map(({ room }) => room))).toEqual(new Set(['elsewhere']))
})

test('the first word of an owner attaches nobody again, and neither does a lower epoch', async () => {
  const { member, settle, engine, bus } = rig()
  const partition = partitionOf('room')
  engine.epoch = 3
  engine.beat(partition, 3)
  await member('ann', 'room')
  engine.requests.length = 0
  engine.beat(partition, 3)
  new ScriptedEngine(bus, 'gateway-1', 'engine-0').beat(partition, 2)
  await settle()
  expect(engine.attaches).toEqual([])
  engine.beat(partition, 4)
  await settle()
  expect(engine.attaches).toHaveLength(1)
})

test('an engine counts as there for 3 s after its last beat, and longer while the bus brings nothing back', async () => {
  const { time, settle, engine, bus, faults, gateway } = rig()
  expect(gateway.engines).toBe(0)
  const other = new ScriptedEngine(bus, 'gateway-1', 'engine-2')
  engine.beat()
  other.beat()
  await settle()
  expect(gateway.engines).toBe(2)
  for (let second = 0; second < 3; second++) {
    other.beat()
    await time.advance(1_000)
  }
  expect(gateway.engines).toBe(2)
  other.beat()
  await time.advance(1_000)
  expect(gateway.engines).toBe(1)
  faults.loses = () => true
  await time.advance(60_000)
  expect(gateway.engines).toBe(1)
  faults.loses = () => false
  // What was missed while the bus was away counts nothing.
  await time.advance(3_500)
  expect(gateway.engines).toBe(1)
  await time.advance(1_000)
  expect(gateway.engines).toBe(0)
})

test('what nobody has answered is sent to a new owner at once, under its id, and to no other', async () => {
  const { member, settle, engine, bus } = rig()
  const ann = await member('ann', 'room')
  const bob = await member('bob', 'elsewhere')
  const successor = new ScriptedEngine(bus, 'gateway-1', 'engine-2')
  for (const deaf of [engine, successor]) deaf.onRequest = () => {}
  engine.requests.length = 0
  ann.send([5, 7, 'room', 'add'])
  bob.send([5, 8, 'elsewhere', 'add'])
  await settle()
  const moves = () => engine.requests.filter(({ kind }) => kind === 'command')
  const [move] = moves().filter(({ kind, ...rest }) => kind === 'command' && 'room' in rest && rest.room === 'room')
  expect(moves()).toHaveLength(2)
  successor.beat(partitionOf('room'), 5)
  await settle()
  expect(moves()).toHaveLength(3)
  expect(moves()[2]).toEqual(move)
})
