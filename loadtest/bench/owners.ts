import { connectNats } from '../../bus/nats-connection.ts'
import { PARTITIONS, partitionOf } from '../../bus/subjects.ts'
import { realClock } from '../../cli/real.ts'
import { openJetStreamLedger } from '../../engine/ledger/jetstream.ts'
import { readKey, readOwner } from '../../engine/partition/ledger-keys.ts'
import { sleep } from './figures.ts'
import type { Programs } from './programs.ts'
import type { Server } from './server.ts'

/** Who owns what, as the ledger of an installation tells it. */
export interface Owners {
  /** The engine that owns a room. */
  of(room: string): string
  /** Resolves once all partitions are spread over exactly these engines. */
  settled(engines: readonly string[]): Promise<void>
  close(): Promise<void>
}

const LOOK_MS = 20
const SETTLES_WITHIN_MS = 60_000

export const watchOwners = async ({ nats }: Programs): Promise<Owners> => {
  const servers = nats.map(({ port }) => `127.0.0.1:${port}`)
  const link = await connectNats({ servers, identity: { by: 'nobody' }, tls: null }, realClock, () => {})
  const ledger = await openJetStreamLedger({ link, clock: realClock, replicas: nats.length })
  const owners = new Map<number, string>()
  const end = await ledger.watch(({ key, value }) => {
    const about = readKey(key)
    if (about?.of === 'partition') owners.set(about.partition, readOwner(value).owner)
  })
  return {
    of: (room) => owners.get(partitionOf(room)) ?? '',
    async settled(engines) {
      const isSo = () =>
        owners.size === PARTITIONS && [...new Set(owners.values())].sort().join() === [...engines].sort().join()
      for (const from = performance.now(); !isSo(); await sleep(LOOK_MS))
        if (performance.now() - from > SETTLES_WITHIN_MS) throw new Error(`partitions are not with ${engines.join()}`)
    },
    async close() {
      end()
      await link.close()
    },
  }
}

/** What an engine without a gateway says of itself. */
export const statusOf = async ({ port }: Server): Promise<{ engine: string; partitions: number; live: number }> => {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/status`)
  if (!answer.ok) throw new Error(`/admin/status answers ${answer.status}`)
  return (await answer.json()) as { engine: string; partitions: number; live: number }
}
