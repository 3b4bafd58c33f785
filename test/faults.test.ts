import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCluster } from './faults/cluster.ts'
import { diskFull, killed, stopped } from './faults/faults.ts'
import { playThrough } from './faults/play.ts'
import { ROUND } from './faults/run.ts'
import { smallDisk } from './faults/small-disk.ts'

const NOTHING = { lost: [], doubled: [], forks: [] }

test('P1 P2 P3: three NATS servers, two of each role, one fault after the other: no acknowledged move is lost, doubled or shown otherwise', {
  timeout: 600_000,
}, async () => {
  await using cluster = await startCluster({ nats: 3, gateways: 2, engines: 2, media: 2 })
  const played = await playThrough(cluster, ROUND, { tables: 4 })
  expect(played).toMatchObject(NOTHING)
  expect(played.moves).toBeGreaterThan(ROUND.length * 4)
})

test('on one NATS server an engine and a gateway are killed and stopped, and play goes on at the others', {
  timeout: 240_000,
}, async () => {
  await using cluster = await startCluster({ nats: 1, gateways: 2, engines: 2 })
  const faults = [killed('engine'), stopped('gateway'), stopped('engine'), killed('gateway')]
  expect(await playThrough(cluster, faults, { tables: 4 })).toMatchObject(NOTHING)
})

test('on a full disk nothing is acknowledged that is not kept, and once there is space play goes on', {
  timeout: 120_000,
}, async () => {
  using disk = smallDisk()
  await using cluster = await startCluster({ nats: 1, gateways: 1, engines: 2, store: join(disk.path, 'store') })
  expect(await playThrough(cluster, [diskFull(disk)], { tables: 4 })).toMatchObject(NOTHING)
})
