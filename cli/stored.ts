import { z } from 'zod'
import { openJetStream } from '../engine/log/jetstream.ts'
import { findInstallation } from '../engine/log/jetstream-streams.ts'
import { StorageError } from '../engine/log/log.ts'
import { openSqliteReadonly, type ReadonlyStorage } from '../engine/log/sqlite-reader.ts'
import { Library } from '../engine/partition/library.ts'
import type { Sources } from '../engine/partition/restore.ts'
import { KeyRing } from '../engine/room/keyring.ts'
import { GameFileError, loadGames } from '../engine/rules/load.ts'
import { CannotStart } from './cannot-start.ts'
import { type CliExit, flag, usageError } from './flags.ts'
import { createLog } from './log.ts'
import { openNats } from './nats.ts'
import { type NatsFlags, natsConflict } from './nats-access.ts'
import { NATS_FLAGS } from './nats-flags.ts'
import { SAMPLE_GAMES } from './places.ts'
import { realChance, realClock } from './real.ts'
import { list, text } from './values.ts'

/** Flags of the commands that read what is stored. */
export const STORED_FLAGS = {
  data: flag(text.default('./data'), {
    value: 'DIR',
    description: 'the data folder; a Madang may be running on it',
  }),
  ...NATS_FLAGS,
  games: flag(list.optional(), {
    value: 'DIR[,DIR]',
    otherwise: 'the sample games',
    description: 'where games are, for rooms on their present rules',
  }),
  json: flag(
    z
      .string()
      .optional()
      .transform((given) => given !== undefined && given !== 'false'),
    {
      description: 'one JSON object per line',
    },
  ),
}

/** Where to read: a data folder, or NATS. */
export interface StoredFlags extends NatsFlags {
  data?: string
  games?: string[] | undefined
}

export interface Stored extends Sources {
  readonly storage: ReadonlyStorage
  close(): Promise<void>
}

/** What is stored, to read beside whoever runs on it; or what is wrong, in one line. */
export const openStored = async (flags: StoredFlags): Promise<Stored | CliExit> => {
  try {
    const conflict = natsConflict(flags)
    if (conflict !== null) return usageError(conflict)
    const { nats } = flags
    const { storage, close } = await (nats === undefined
      ? inFolder(flags.data ?? './data')
      : onNats({ ...flags, nats }))
    const games = await loadGames(flags.games ?? SAMPLE_GAMES)
    const keys = new KeyRing({ existingKey: storage.existingKey, playerKey: neverAsked }, realChance)
    return { storage, library: new Library(games, storage), keys, close }
  } catch (error) {
    if (error instanceof StorageError || error instanceof GameFileError || error instanceof CannotStart)
      return usageError(error.message)
    throw error
  }
}

type Opened = Pick<Stored, 'storage' | 'close'>

const inFolder = async (folder: string): Promise<Opened> => {
  const storage = await openSqliteReadonly(folder)
  return { storage, close: () => storage.close() }
}

const onNats = async (flags: NatsFlags & { nats: readonly string[] }): Promise<Opened> => {
  const link = await openNats(flags, { clock: realClock, log: createLog('error') })
  try {
    const place = { connection: link.connection, clock: realClock }
    const none = () => {
      throw new StorageError('no Madang has run on this NATS: there is nothing to read')
    }
    const durability = await findInstallation(place, none)
    const storage = await openJetStream({ ...place, durability, chance: realChance })
    return {
      storage,
      async close() {
        await storage.close()
        await link.close()
      },
    }
  } catch (error) {
    await link.close()
    throw error
  }
}

const neverAsked = (): Promise<never> => Promise.reject(new Error('reading makes no keys'))
