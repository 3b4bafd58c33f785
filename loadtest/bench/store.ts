import { execFileSync } from 'node:child_process'
import { connectNats } from '../../bus/nats-connection.ts'
import { realChance, realClock } from '../../cli/real.ts'
import { openJetStream } from '../../engine/log/jetstream.ts'
import type { Storage } from '../../engine/log/log.ts'
import { openSqlite } from '../../engine/log/sqlite.ts'
import { startNats } from '../../test/nats-server.ts'
import { type Programs, startAlone, startOn } from './programs.ts'
import { temporaryFolder } from './server.ts'

export const STORES = ['sqlite-full', 'jetstream-r1'] as const
export type StoreLevel = (typeof STORES)[number]

/** An installation that is filled before it is started. */
export interface Store {
  readonly storage: Storage
  /** What it takes on disk, bytes. */
  bytes(): number
  /** Starts whole programs on what was written, which take the store with them when they stop. A storage that only one may have open is closed before. */
  start(engines?: number): Promise<Programs>
  /** In place of `start`. */
  remove(): Promise<void>
}

export const openStore = async (level: StoreLevel): Promise<Store> => {
  const folder = temporaryFolder()
  const bytes = () => Number(execFileSync('du', ['-sb', folder.path], { encoding: 'utf8' }).split('\t')[0])
  if (level === 'sqlite-full') {
    const storage = await openSqlite({ dir: folder.path, chance: realChance, soon: realClock.soon })
    return {
      storage,
      bytes,
      async start() {
        await storage.close()
        return await startAlone(['--data', folder.path], folder.remove)
      },
      async remove() {
        await storage.close()
        folder.remove()
      },
    }
  }
  const nats = await startNats({ store: folder.path })
  const access = { servers: [`127.0.0.1:${nats.port}`], identity: { by: 'nobody' as const }, tls: null }
  const link = await connectNats(access, realClock, () => {})
  const surroundings = { clock: realClock, chance: realChance }
  const storage = await openJetStream({ connection: link.connection, durability: level, ...surroundings })
  const close = async () => {
    await storage.close()
    await link.close()
  }
  return {
    storage,
    bytes,
    async start(engines = 1) {
      const programs = await startOn([nats], level, engines)
      return {
        ...programs,
        port: programs.port,
        async stop() {
          await close()
          await programs.stop()
          folder.remove()
        },
      }
    },
    async remove() {
      await close()
      await nats.stop()
      folder.remove()
    },
  }
}
