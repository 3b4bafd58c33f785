import { z } from 'zod'
import { StorageError } from '../engine/log/log.ts'
import { openSqliteReadonly, type ReadonlyStorage } from '../engine/log/sqlite-reader.ts'
import { Library } from '../engine/partition/library.ts'
import type { Sources } from '../engine/partition/restore.ts'
import { KeyRing } from '../engine/room/keyring.ts'
import { GameFileError, loadGames } from '../engine/rules/load.ts'
import { type CliExit, flag, usageError } from './flags.ts'
import { SAMPLE_GAMES } from './places.ts'
import { realChance } from './real.ts'

/** Flags of the commands that read what a data folder holds. */
export const STORED_FLAGS = {
  data: flag(z.string().min(1, 'something').default('./data'), {
    value: 'DIR',
    description: 'the data folder; a Madang may be running on it',
  }),
  games: flag(
    z
      .string()
      .transform((given) => given.split(',').map((dir) => dir.trim()))
      .optional(),
    {
      value: 'DIR[,DIR]',
      otherwise: 'the sample games',
      description: 'where games are, for rooms on their present rules',
    },
  ),
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

export interface Stored extends Sources {
  readonly storage: ReadonlyStorage
}

/** What a data folder holds, to read beside whoever runs on it; or what is wrong, in one line. */
export const openStored = async (flags: { data: string; games?: string[] | undefined }): Promise<Stored | CliExit> => {
  try {
    const storage = await openSqliteReadonly(flags.data)
    const games = await loadGames(flags.games ?? SAMPLE_GAMES)
    const keys = new KeyRing({ existingKey: storage.existingKey, playerKey: neverAsked }, realChance)
    return { storage, library: new Library(games, storage), keys }
  } catch (error) {
    if (error instanceof StorageError || error instanceof GameFileError) return usageError(error.message)
    throw error
  }
}

const neverAsked = (): Promise<never> => Promise.reject(new Error('reading makes no keys'))
