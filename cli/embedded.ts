import { localBus } from '../bus/local.ts'
import { DataFolderInUse, type Storage, StorageError } from '../engine/log/log.ts'
import { memoryStorage } from '../engine/log/memory.ts'
import { openSqlite } from '../engine/log/sqlite.ts'
import { newEngineId } from '../engine/partition/engine.ts'
import { soleOwnership } from '../engine/partition/sole.ts'
import { expecting } from './cannot-start.ts'
import { openKeys, passingKeys } from './data-folder.ts'
import type { Ground } from './ground.ts'
import type { Surroundings } from './roles.ts'

/** One process by itself: the bus within it, the log in the data folder. Rejects with CannotStart where that cannot be had. */
export const openEmbedded = async (surroundings: Surroundings): Promise<Ground> => {
  const { config, log, chance } = surroundings
  const storage = await expecting([StorageError, DataFolderInUse], openStorage(surroundings))
  try {
    const keys = config.durability === 'memory' ? passingKeys(chance) : openKeys(config.data, chance)
    const bus = localBus({ onError: (err, subject) => log.error({ err, subject }, 'a listener on the bus failed') })
    return {
      bus,
      keys: async () => keys,
      isConnected: () => true,
      moveOn: () => {},
      status: () => ({}),
      forEngine: async () => ({
        id: newEngineId(chance),
        storage,
        ownership: soleOwnership(await storage.nextEpoch()),
      }),
      async close() {
        await bus.close()
        await storage.close()
      },
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

const openStorage = ({ config, clock, chance, log }: Surroundings): Promise<Storage> => {
  if (config.durability === 'memory') return Promise.resolve(memoryStorage({ chance }))
  return openSqlite({
    dir: config.data,
    chance,
    soon: clock.soon,
    onTrouble: (err) => log.fatal({ err }, 'the log is gone: nothing can be stored until Madang is started again'),
  })
}
