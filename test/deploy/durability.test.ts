import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { expect, test } from 'vitest'
import { startNatsCluster } from '../nats-server.ts'
import { until } from '../program.ts'

const STREAMS = [0, 1, 2, 3]
const ENOUGH = 500

test('jetstream-r3: three nats-servers killed at once have all that was acknowledged when they are back', async () => {
  await using cluster = await startNatsCluster()
  const connection = await connect({ servers: cluster.url.split(','), reconnect: false })
  const manager = await jetstreamManager(connection)
  for (const stream of STREAMS)
    await manager.streams.add({ name: `S${stream}`, subjects: [`s.${stream}.>`], num_replicas: 3 })
  const client = jetstream(connection, { timeout: 2_000 })
  const acknowledged = STREAMS.map(() => 0)
  const publishing = STREAMS.flatMap((stream) =>
    Array.from({ length: 8 }, async (_, publisher) => {
      try {
        for (;;) {
          await client.publish(`s.${stream}.${publisher}`, 'x'.repeat(300))
          acknowledged[stream] = (acknowledged[stream] ?? 0) + 1
        }
      } catch {
        // The servers are gone.
      }
    }),
  )
  await until(() => Math.min(...acknowledged) > ENOUGH, 'enough to be acknowledged')
  await Promise.all(cluster.servers.map((server) => server.kill('SIGKILL')))
  await Promise.all(publishing)
  await connection.close()

  await Promise.all(cluster.servers.map((server) => server.restart()))
  await Promise.all(cluster.servers.map((server) => server.healthy()))
  const after = await connect({ servers: cluster.url.split(',') })
  const { streams } = await jetstreamManager(after)
  for (const stream of STREAMS) {
    const info = await until(() => streams.info(`S${stream}`).catch(() => null), `stream ${stream} to be there`)
    expect(info.state.messages, `stream ${stream}`).toBeGreaterThanOrEqual(acknowledged[stream] ?? 0)
  }
  await after.close()
})
