import { expect, test } from 'vitest'
import { Cluster } from './testing/cluster.ts'
import { counter } from './testing/games.ts'

test('requests that come while an engine is not sure what it owns wait for that, up to 2,048; whoever sent another one sends it again', async () => {
  const cluster = await Cluster.start([counter()], () => 'one')
  const [gateway] = cluster.gateways
  const told = () => gateway.items.filter(({ kind }) => kind === 'told').length
  const ask = () => gateway.publish((id) => ({ kind: 'ask', gateway: gateway.name, id, about: { type: 'games' } }))
  cluster.doubt('one')
  for (let i = 0; i < 3_000; i++) ask()
  await cluster.clock.advance(1_000)
  expect(told()).toBe(0)
  cluster.trust('one')
  await cluster.clock.advance(1_000)
  expect(told()).toBe(2_048)
  cluster.doubt('one')
  for (let i = 0; i < 100; i++) ask()
  cluster.trust('one')
  await cluster.clock.advance(1_000)
  expect(told()).toBe(2_148)
})

test('an engine that is not sure any more ends, though it was to take over one room and another fell asleep', async () => {
  const cluster = await Cluster.start([counter()], (partition) => (partition % 2 === 0 ? 'one' : 'two'))
  const ann = cluster.gateways[0].connect('ann')
  await ann.create(cluster.roomAt('one'), 'counter')
  await ann.create(cluster.roomAt('two'), 'counter')
  const engine = cluster.engine('one')
  cluster.doubt('one')
  cluster.give('one', cluster.kill('two'))
  await cluster.clock.runUntil(() => engine.rooms.here(cluster.roomAt('one')) === undefined, 120_000)
  let isClosed = false
  void engine.close().then(() => {
    isClosed = true
  })
  await cluster.clock.runUntil(() => isClosed, 1_000)
})
