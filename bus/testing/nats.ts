import { realChance, realClock } from '../../cli/real.ts'
import type { NatsServer } from '../../test/nats-server.ts'
import { NatsBus } from '../nats.ts'
import { connectNats, type NatsLink } from '../nats-connection.ts'

/** A connection to the first of these servers that takes it, which names no user. Rejects where none does. */
export const connectTo = (servers: readonly NatsServer[]): Promise<NatsLink> => {
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
  return connectNats({ servers: addresses, identity: { by: 'nobody' }, tls: null }, realClock, () => {})
}

/** A bus with a connection of its own. */
export interface End extends AsyncDisposable {
  readonly bus: NatsBus
  readonly link: NatsLink
  readonly errors: readonly unknown[]
}

/** Resolves with one end of the bus that these servers carry; it closes its bus and its connection. */
export const openEnd = async (servers: readonly NatsServer[], prefix?: string): Promise<End> => {
  const link = await connectTo(servers)
  const errors: unknown[] = []
  const bus = new NatsBus({
    link,
    clock: realClock,
    chance: realChance,
    onError: (error) => errors.push(error),
    ...(prefix === undefined ? {} : { prefix }),
  })
  const end = async () => {
    await bus.close()
    await link.close()
  }
  return { bus, link, errors, [Symbol.asyncDispose]: end }
}
