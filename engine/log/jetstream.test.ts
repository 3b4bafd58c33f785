import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll } from 'vitest'
import { realClock } from '../../cli/real.ts'
import { type NatsServer, startNats } from '../../test/nats-server.ts'
import { storageConformance } from './conformance.ts'
import { testChance } from './conformance-values.ts'
import { openJetStream } from './jetstream.ts'

let server: NatsServer
let connection: NatsConnection
let installations = 0

beforeAll(async () => {
  server = await startNats()
  connection = await connect({ servers: server.url })
})
afterAll(async () => {
  await connection.close()
  await server.stop()
})

storageConformance('jetstream-r1', {
  async open() {
    const prefix = `t${installations++}`
    const open = () =>
      openJetStream({
        connection,
        durability: 'jetstream-r1',
        clock: realClock,
        chance: testChance,
        prefix,
        streams: 4,
      })
    const storage = await open()
    return {
      storage,
      reopen: async () => {
        await storage.close()
        return await open()
      },
    }
  },
})
