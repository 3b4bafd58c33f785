import { afterEach, expect, test } from 'vitest'
import type { Bus } from '../bus/bus.ts'
import { localBus } from '../bus/local.ts'
import type { Room } from '../client/client.ts'
import { seededChance } from '../client/testing/chance.ts'
import { memoryLedger } from '../engine/ledger/memory.ts'
import { memoryStorage } from '../engine/log/memory.ts'
import { clusterOwnership } from '../engine/partition/cluster-ownership.ts'
import { Engine } from '../engine/partition/engine.ts'
import { loadGames } from '../engine/rules/load.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { virtualClock } from './virtual-clock.ts'
import { settledIn, startVirtualGateway } from './virtual-gateway.ts'
import type yard from './wire/testing/yard/rules.ts'

/** So many that each of three engines has some. */
const ROOMS = 12
const games = await loadGames(['test/wire/testing'])
type Yard = Room<typeof yard>

const endings: (() => void)[] = []
afterEach(() => {
  for (const end of endings.splice(0).reverse()) end()
})

/** Real gateways, and engines that share the partitions by a ledger, on one bus from which each can be cut off; players by the SDK. */
const world = () => {
  const clock = virtualClock()
  const chance = seededChance(7)
  const clusterKey = new Uint8Array(32)
  const inner = localBus()
  const ledger = memoryLedger({ clock })
  const storage = { ...memoryStorage({ chance }), exclusive: false }
  const away = new Set<string>()
  const busOf = (host: string): Bus => ({
    publish: (subject, message) => {
      if (!away.has(host)) inner.publish(subject, message)
    },
    subscribe: (subject, handler) =>
      inner.subscribe(subject, (message) => {
        if (!away.has(host)) handler(message)
      }),
    close: async () => {},
  })

  const settled = <T>(promise: Promise<T>): Promise<T> => settledIn(clock, promise)
  const startEngine = async (id: string): Promise<Engine> => {
    const report = () => {}
    const ownership = clusterOwnership({ engine: id, ledger, clock, report })
    const shared = { clock, chance, clusterKey, storage, games, report }
    const started = await settled(Engine.start({ ...shared, id, ownership, bus: busOf(id) }))
    endings.push(() => started.abandon())
    return started
  }

  const startGateway = (id: string) => {
    const started = startVirtualGateway({ id, bus: busOf(id), clock, chance, clusterKey })
    endings.push(started.close)
    return started
  }

  return { clock, away, startEngine, startGateway, settled }
}

/** Ann at one gateway and Bob at another, in rooms of two engines. */
const playing = async () => {
  const { clock, startEngine, startGateway, settled, away } = world()
  const engines = [await startEngine('e1'), await startEngine('e2')]
  const [one, two] = [startGateway('g1'), startGateway('g2')]
  const share = () => engines.map((engine) => engine.status().partitions)
  await clock.runUntil(() => share().every((count) => count > 90))
  const [ann, bob] = [one.sit('ann'), two.sit('bob')]
  const anns: Yard[] = []
  const bobs: Yard[] = []
  for (let n = 0; n < ROOMS; n++) {
    const id = await settled(ann.create('yard', null, { public: true }))
    anns.push(await settled(ann.join<typeof yard>(id)))
    bobs.push(await settled(bob.join<typeof yard>(id)))
  }
  for (const engine of engines) expect(engine.status().live).toBeGreaterThan(0)
  /** Who was ever shown as dropped, and by when. */
  const dropped: { name: string; at: number }[] = []
  for (const room of [...anns, ...bobs])
    room.subscribe(({ document }) => {
      for (const { name, connected } of Object.values(document.room.members))
        if (!connected) dropped.push({ name, at: clock.now() })
    })
  let said = 0
  /** Ann says something in each room, and Bob is shown it. Returns how long that took, ms. */
  const talk = async (): Promise<number> => {
    said += 1
    const text = `said ${said}`
    const began = clock.now()
    await settled(Promise.all(anns.map((room) => room.move.say({ text }))))
    await clock.runUntil(() => bobs.every(({ document }) => document.game?.said.at(-1) === text), 10_000)
    return clock.now() - began
  }
  await talk()
  return {
    clock,
    away,
    engines,
    startEngine,
    gateways: [one.gateway, two.gateway] as const,
    anns,
    bobs,
    dropped,
    talk,
    settled,
  }
}

const attached = ({ rooms }: Engine): number => {
  let count = 0
  for (const room of rooms.live()) count += room.attachments.size
  return count
}

test('P2, P3: an engine dies, and its successor knows at once who is here: nobody is dropped, all play on', async () => {
  const { clock, engines, gateways, dropped, talk } = await playing()
  const [dies, stays] = [engines[0] ?? expect.fail(), engines[1] ?? expect.fail()]
  dies.abandon()
  expect(await talk()).toBeLessThan(5_000)
  expect(attached(stays)).toBe(2 * ROOMS)
  await clock.advance(30_000)
  expect(dropped).toEqual([])
  expect(gateways.map(({ engines }) => engines)).toEqual([1, 1])
})

test('P3 an engine comes, and takes its share from those that live on: nobody is dropped, nor waits for long', async () => {
  const { clock, startEngine, engines, gateways, dropped, talk } = await playing()
  const third = await startEngine('e3')
  await clock.runUntil(() => third.status().live > 0)
  expect(await talk()).toBeLessThan(2_500)
  await clock.advance(5_000)
  expect(third.status().live).toBeGreaterThan(0)
  expect([...engines, third].map(attached).reduce((sum, count) => sum + count)).toBe(2 * ROOMS)
  expect(await talk()).toBeLessThan(100)
  await clock.advance(30_000)
  expect(dropped).toEqual([])
  expect(gateways.map(({ engines }) => engines)).toEqual([3, 3])
})

test('a gateway dies: its players are dropped, and not before their grace is over; the others play on', async () => {
  const { clock, gateways, anns, bobs, dropped, engines } = await playing()
  const diedAt = clock.now()
  gateways[1].close()
  await clock.runUntil(() => dropped.length >= ROOMS, 20_000)
  expect(dropped.every(({ name, at }) => name === 'bob' && at - diedAt > 7_900 && at - diedAt < 9_500)).toBe(true)
  expect(anns.every(({ document }) => document.room.members.ann?.connected)).toBe(true)
  expect(engines.map(attached).reduce((sum, count) => sum + count)).toBe(ROOMS)
  expect(bobs).toHaveLength(ROOMS)
})

test('P3 a gateway that is cut off for longer than it counts as there comes back: nobody is dropped, and nothing is missed', async () => {
  const { clock, away, anns, bobs, dropped, talk, settled, engines } = await playing()
  away.add('g2')
  await clock.advance(5_000)
  // It is taken for gone.
  expect(engines.map(attached).reduce((sum, count) => sum + count)).toBe(ROOMS)
  await settled(Promise.all(anns.map((room) => room.move.say({ text: 'meanwhile' }))))
  await settled(Promise.all(anns.map((room) => room.move.say({ text: 'and after' }))))
  await clock.advance(1_000)
  away.delete('g2')
  await clock.advance(2_000)
  for (const { document } of bobs) expect(document.game?.said.slice(-2)).toEqual(['meanwhile', 'and after'])
  expect(await talk()).toBeLessThan(100)
  await clock.advance(30_000)
  expect(dropped).toEqual([])
})

test('P3 the bus is gone for two minutes, for all: nobody is dropped, and all play on', async () => {
  const { clock, away, dropped, talk } = await playing()
  for (const host of ['g1', 'g2', 'e1', 'e2']) away.add(host)
  await clock.advance(120_000)
  away.clear()
  await clock.advance(2_500)
  expect(await talk()).toBeLessThan(1_500)
  await clock.advance(30_000)
  expect(dropped).toEqual([])
})

test('each gateway lists the rooms of all engines, each once, and knows of any one', async () => {
  const { gateways, anns, settled } = await playing()
  const ids = anns.map(({ id }) => id).toSorted()
  const listed = async (gateway: Gateway): Promise<string[]> => {
    const told = await settled(gateway.ask({ type: 'rooms', game: 'yard' }))
    return 'rooms' in told ? told.rooms.map(({ room }) => room).toSorted() : []
  }
  for (const gateway of gateways) expect(await listed(gateway)).toEqual(ids)
  for (const room of ids)
    expect(await settled(gateways[0].ask({ type: 'room', room }))).toMatchObject({
      room: { room, game: 'yard', players: 2 },
    })
})
