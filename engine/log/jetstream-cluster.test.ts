import { jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../../cli/real.ts'
import { type NatsCluster, type NatsServer, startNatsCluster } from '../../test/nats-server.ts'
import { until } from '../../test/program.ts'
import { storageConformance } from './conformance.ts'
import { testChance } from './conformance-values.ts'
import { openJetStream } from './jetstream.ts'
import { JetStreamPlaces } from './jetstream-places.ts'
import type { Storage } from './log.ts'
import { Owner, textsOf } from './testing/owner.ts'

let cluster: NatsCluster
let connection: NatsConnection
let installations = 0

beforeAll(async () => {
  cluster = await startNatsCluster()
  // A server that stands still is left for another one.
  const restless = {
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    pingInterval: 500,
    maxPingOut: 2,
    timeout: 1_000,
  }
  connection = await connect({ servers: cluster.url.split(','), ...restless })
})
afterAll(async () => {
  await connection.close()
  await cluster.stop()
})
const fresh = () => `t${installations++}`
const open = (prefix: string): Promise<Storage> =>
  openJetStream({ connection, durability: 'jetstream-r3', clock: realClock, chance: testChance, prefix, streams: 2 })

describe('on three servers', () => {
  // Each stream is a Raft group, and every test makes its own.
  afterEach(async () => {
    const { streams } = await jetstreamManager(connection)
    for await (const { config } of streams.list()) await streams.delete(config.name)
  })

  storageConformance('jetstream-r3', {
    async open() {
      const prefix = fresh()
      const storage = await open(prefix)
      return {
        storage,
        reopen: async () => {
          await storage.close()
          return await open(prefix)
        },
      }
    },
  })
})

test('with fsync it starts, and says once that only the operator can see to it', async () => {
  const lines: string[] = []
  const options = {
    connection,
    clock: realClock,
    chance: testChance,
    streams: 2,
    onWarning: (line: string) => lines.push(line),
  }
  const synced = await openJetStream({ ...options, prefix: 'synced', durability: 'jetstream-r3-fsync' })
  expect(synced.durability).toBe('jetstream-r3-fsync')
  expect(lines).toEqual([expect.stringMatching(/every server needs sync_interval: always/)])
  await openJetStream({ ...options, prefix: 'synced', durability: 'jetstream-r3' })
  expect(lines.length).toBe(1)
  const fewer = openJetStream({ ...options, prefix: 'synced', durability: 'jetstream-r1' })
  await expect(fewer).rejects.toThrow(/keeps 3 copies and 1 are asked for.*jetstream-r3/)
})

describe('when a server of three goes', () => {
  const places = (prefix: string) => new JetStreamPlaces(prefix, 2)
  const spread = (storage: Storage) => Array.from({ length: 8 }, (_, n) => new Owner(storage, `room-${n}`))

  test.each([
    ['killed and started again', (leader: NatsServer) => leader.kill(), (leader: NatsServer) => leader.restart()],
    ['paused and resumed', (leader: NatsServer) => leader.pause(), async (leader: NatsServer) => leader.resume()],
  ])(
    'P1 durable: the leader is %s in the middle of appends, twice: none that was acknowledged is lost, none is doubled, and all go on',
    async (_, stop, goOn) => {
      const prefix = fresh()
      const storage = await open(prefix)
      const owners = spread(storage)
      const running = Promise.all(owners.map((owner) => owner.run()))
      for (const room of ['room-0', 'room-1']) {
        const from = owners.map(({ stored }) => stored)
        const append = (more: number) =>
          until(() => owners.every(({ stored }, n) => stored > (from[n] ?? 0) + more), `${more} appends`, 50_000)
        await append(20)
        const leader = await cluster.leader(places(prefix).events(room).stream)
        await stop(leader)
        await append(60)
        await goOn(leader)
        await cluster.leader()
      }
      for (const owner of owners) owner.stop()
      await running
      for (const owner of owners) expect(await textsOf(storage, owner.room)).toEqual(owner.expected)
      expect(owners.flatMap(({ rejections }) => rejections).length).toBeGreaterThan(0)
      await storage.close()
    },
    240_000,
  )

  test('P1 durable: while a replica that was away catches up, every read is whole', async () => {
    const prefix = fresh()
    const storage = await open(prefix)
    const owner = new Owner(storage, 'room-0')
    await owner.append()
    const leader = await cluster.leader(places(prefix).events('room-0').stream)
    const replica = cluster.servers.find(({ name }) => name !== leader.name)
    await replica?.kill()
    while (owner.stored < 1_000) await owner.append()
    const back = replica?.restart()
    let isBack = false
    void back
      ?.then(() => replica?.healthy())
      .then(() => {
        isBack = true
      })
    while (!isBack) {
      await owner.append()
      expect((await textsOf(storage, 'room-0')).length).toBe(owner.stored)
    }
    await storage.close()
  }, 180_000)
})
