import { expect, test } from 'vitest'
import { Cluster } from './testing/cluster.ts'
import { counter } from './testing/games.ts'

/** An engine with a public room that sleeps; lists of such rooms come only once they may. */
const asked = async () => {
  const cluster = await Cluster.start([counter()], () => 'one')
  const [gateway] = cluster.gateways
  await gateway.connect('ann').create('r', 'counter', undefined, { public: true })
  await cluster.clock.runUntil(() => cluster.engine('one').rooms.counts().live === 0, 1_000_000)
  const { listIndex } = cluster.storage
  const { promise, resolve: come } = Promise.withResolvers<void>()
  const reads = { count: 0 }
  cluster.storage.listIndex = async (...about) => {
    reads.count += 1
    await promise
    return listIndex(...about)
  }
  const ask = (game: string | null) =>
    gateway.publish((id) => ({ kind: 'ask', gateway: gateway.name, id, about: { type: 'rooms', game } }))
  const told = () => gateway.items.flatMap((item) => (item.kind === 'told' ? [item.value] : []))
  return { clock: cluster.clock, ask, told, reads, come }
}

const sleeping = { rooms: [{ room: 'r', game: 'counter', phase: 'open', players: 0, seats: 4 }] }

test('bounded: however many ask for a list of rooms while it is read, it is read once; who asks later has it read anew', async () => {
  const { clock, ask, told, reads, come } = await asked()
  for (let n = 0; n < 50; n++) ask(null)
  await clock.advance(100)
  expect([reads.count, told()]).toEqual([1, []])
  come()
  await clock.advance(100)
  expect(told()).toEqual(Array.from({ length: 50 }, () => sleeping))
  ask(null)
  await clock.advance(100)
  expect(reads.count).toBe(2)
})

test('bounded: beyond 16 different lists that are being read others are refused', async () => {
  const { clock, ask, told, reads, come } = await asked()
  for (let n = 0; n < 20; n++) ask(`game-${n}`)
  await clock.advance(100)
  const refused = { code: 'unavailable', message: expect.stringMatching(/Ask again/) }
  expect([reads.count, told()]).toEqual([16, Array.from({ length: 4 }, () => ({ refused }))])
  come()
  await clock.advance(100)
  ask('counter')
  await clock.advance(100)
  expect(told().at(-1)).toEqual(sleeping)
})
