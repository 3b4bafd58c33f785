import { NatsBus } from '../bus/nats.ts'
import { openJetStreamLedger } from '../engine/ledger/jetstream.ts'
import { openJetStream } from '../engine/log/jetstream.ts'
import { openInstallationKeys } from '../engine/log/jetstream-keys.ts'
import { findInstallation, replicasOf } from '../engine/log/jetstream-streams.ts'
import { type Storage, StorageError } from '../engine/log/log.ts'
import { clusterOwnership } from '../engine/partition/cluster-ownership.ts'
import { newEngineId } from '../engine/partition/engine.ts'
import { expecting } from './cannot-start.ts'
import { durabilityOnNats } from './config.ts'
import type { Keys } from './data-folder.ts'
import type { Ground } from './ground.ts'
import { measureNats } from './metrics.ts'
import { openNats } from './nats.ts'
import type { Surroundings } from './roles.ts'

/** NATS under any number of processes. Rejects with CannotStart where it cannot be reached, or is kept otherwise than was asked for. */
export const openCluster = async (surroundings: Surroundings, nats: readonly string[]): Promise<Ground> => {
  const { config, log, clock, chance } = surroundings
  const link = await openNats({ ...config, nats }, { clock, log })
  measureNats(surroundings.metrics, link)
  try {
    const { connection } = link
    const installation = { connection, clock, chance, onWarning: (line: string) => log.warn(line) }
    let storage: Storage | null = null
    let keys: Promise<Keys> | null = null
    const openKeys = async (): Promise<Keys> => {
      const waiting = () => log.info('waiting for the first engine, which prepares NATS')
      const durability = config.roles.includes('engine')
        ? durabilityOnNats(config)
        : // Who keeps nothing takes the installation as the engines made it.
          await expecting([StorageError], findInstallation(installation, waiting))
      return expecting([StorageError], openInstallationKeys({ ...installation, durability }))
    }
    const bus = new NatsBus({
      link,
      clock,
      chance,
      onError: (err, subject) => log.error({ err, subject }, 'a message on the bus failed'),
    })
    return {
      bus,
      keys() {
        keys ??= openKeys()
        return keys
      },
      isConnected: () => link.isConnected,
      moveOn() {
        if (nats.length === 1 || !link.isConnected) return
        log.warn(
          { server: connection.getServer() },
          'nobody else is reached through this NATS server: trying the next one',
        )
        link.moveOn()
      },
      status: () => ({ nats: link.isConnected ? connection.getServer() : null }),
      async forEngine(report) {
        const id = newEngineId(chance)
        const durability = durabilityOnNats(config)
        storage = await expecting([StorageError], openJetStream({ ...installation, durability }))
        const ledger = await expecting([Error], openJetStreamLedger({ link, clock, replicas: replicasOf(durability) }))
        return { id, storage, ownership: clusterOwnership({ engine: id, ledger, clock, report }) }
      },
      async close() {
        await bus.close()
        await storage?.close()
        await link.close()
      },
    }
  } catch (error) {
    await link.close()
    throw error
  }
}
