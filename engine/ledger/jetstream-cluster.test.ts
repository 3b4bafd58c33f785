import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { NatsLink } from '../../bus/nats-connection.ts'
import { PARTITIONS } from '../../bus/subjects.ts'
import { connectTo } from '../../bus/testing/nats.ts'
import { realClock } from '../../cli/real.ts'
import { type NatsCluster, type NatsServer, startNatsCluster } from '../../test/nats-server.ts'
import { clusterOwnership } from '../partition/cluster-ownership.ts'
import type { Ownership } from '../partition/ownership.ts'
import { placed } from '../partition/placement.ts'
import { openJetStreamLedger } from './jetstream.ts'
import { CHANGES_KEPT, type Ledger, type LedgerEntry } from './ledger.ts'

const STREAM = 'KV_madang_ledger'
let cluster: NatsCluster
let links: NatsLink[]

beforeAll(async () => {
  cluster = await startNatsCluster()
})
afterAll(() => cluster.stop())
beforeEach(() => {
  links = []
})
afterEach(async () => {
  await Promise.all(links.map((link) => link.close()))
})

const linkTo = async (to: readonly NatsServer[]): Promise<NatsLink> => {
  const link = await connectTo(to)
  links.push(link)
  return link
}
const openOn = async (servers: readonly NatsServer[]) => {
  const link = await linkTo(servers)
  return { link, ledger: await openJetStreamLedger({ link, clock: realClock, replicas: 3 }) }
}

interface Engine {
  ownership: Ownership
  owned: Map<number, number>
  lost: number[]
  released: number[]
}
const engineOn = async (engine: string, servers: readonly NatsServer[]): Promise<Engine> => {
  const { ledger } = await openOn(servers)
  const ownership = clusterOwnership({ engine, ledger, clock: realClock, report: () => {} })
  const [owned, lost, released] = [new Map<number, number>(), [] as number[], [] as number[]]
  await ownership.start({
    own: (partitions) => {
      for (const [partition, epoch] of partitions) owned.set(partition, epoch)
    },
    release: async (partition) => {
      owned.delete(partition)
      released.push(partition)
    },
    lose: (partition) => {
      owned.delete(partition)
      lost.push(partition)
    },
  })
  return { ownership, owned, lost, released }
}
const shareOf = (engine: string) =>
  Array.from({ length: PARTITIONS }, (_, partition) => partition).filter((p) => placed(p, ['e1', 'e2']) === engine)
/** Each is sure, and has what it should have. */
const shareAll = (one: Engine, two: Engine) =>
  vi.waitFor(
    () => {
      expect([one.ownership.isSure, two.ownership.isSure]).toEqual([true, true])
      for (const [id, { owned }] of [
        ['e1', one],
        ['e2', two],
      ] as const)
        expect([...owned.keys()].toSorted((a, b) => a - b)).toEqual(shareOf(id))
    },
    { timeout: 50_000, interval: 20 },
  )

test('the server that leads the ledger is killed: no partition moves, and both engines are sure again by themselves; the same when it comes back', async () => {
  const [one, two] = [await engineOn('e1', cluster.servers), await engineOn('e2', cluster.servers)]
  await shareAll(one, two)
  const before = [new Map(one.owned), new Map(two.owned)]
  for (const engine of [one, two]) engine.released.length = 0
  for (let round = 0; round < 2; round++) {
    const leader = await cluster.leader(STREAM)
    await leader.kill()
    await vi.waitFor(() => expect(one.ownership.isSure && two.ownership.isSure).toBe(false), {
      timeout: 30_000,
      interval: 20,
    })
    await shareAll(one, two)
    await leader.restart()
    await Promise.all(cluster.servers.map((server) => server.healthy()))
    await shareAll(one, two)
  }
  expect([one.lost, two.lost, one.released, two.released]).toEqual([[], [], [], []])
  expect([one.owned, two.owned]).toEqual(before)
  await one.ownership.leave()
  await vi.waitFor(() => expect(two.owned.size).toBe(PARTITIONS), { timeout: 30_000 })
  expect(one.lost).toEqual([])
  two.ownership.abandon()
})

test('the server that an engine is connected to stands still: its watch goes on over another one, without a gap, and backwards never', async () => {
  const { servers } = cluster
  const { link, ledger } = await openOn(servers)
  const paused = servers.find(({ port }) => link.connection.getServer().endsWith(`:${port}`))
  if (!paused) throw new Error(`connected to ${link.connection.getServer()}`)
  const other = await openOn(servers.filter((server) => server !== paused))
  const entries: LedgerEntry[] = []
  const end = await ledger.watch((entry) => entries.push(entry))
  const key = 'partition.999'
  let last = 0
  const write = (value: number) =>
    vi.waitFor(
      async () => {
        // Null: an attempt before that was not answered was written.
        last = (await other.ledger.put(key, `${value}`, last)) ?? (await newestOf(other.ledger, key))?.revision ?? 0
      },
      { timeout: 30_000 },
    )
  await write(0)
  await paused.pause()
  for (let i = 1; i < CHANGES_KEPT; i++) await write(i)
  const newest = await newestOf(other.ledger, key)
  await vi.waitFor(() => expect(entries.filter((entry) => entry.key === key).at(-1)).toEqual(newest), {
    timeout: 30_000,
  })
  paused.resume()
  const values = entries.filter((entry) => entry.key === key).map(({ value }) => Number(value))
  expect(values).toEqual(Array.from({ length: CHANGES_KEPT }, (_, i) => i))
  const revisions = entries.map(({ revision }) => revision)
  expect(revisions).toEqual([...new Set(revisions)].toSorted((x, y) => x - y))
  end()
  await Promise.all(servers.map((server) => server.healthy()))
})

const newestOf = async (ledger: Ledger, key: string) => {
  const entries: LedgerEntry[] = []
  const end = await ledger.watch((entry) => entries.push(entry))
  end()
  return entries.findLast((entry) => entry.key === key)
}
