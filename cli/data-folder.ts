import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Chance } from '../protocol/clock.ts'
import { messageOf } from '../protocol/errors.ts'
import { CannotStart, codeOf } from './cannot-start.ts'

const KEY_BYTES = 32

/** Secrets of an installation; losing them logs all guests out (guests) and makes retried CREATEs new rooms (cluster). */
export interface Keys {
  /** Signs guests' tokens. */
  guests: Uint8Array
  /** Room ids are derived with it. */
  cluster: Uint8Array
}

/** The keys in the data folder, made there at the first start. Throws CannotStart where the folder does not let it. */
export const openKeys = (folder: string, chance: Chance): Keys => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return {
      guests: openKey(join(folder, 'guests.key'), chance),
      cluster: openKey(join(folder, 'cluster.key'), chance),
    }
  } catch (error) {
    if (error instanceof CannotStart) throw error
    throw new CannotStart(`data folder ${folder}: ${reasonOf(error)}: choose another with --data`, { cause: error })
  }
}

/** Keys that last as long as the process, as everything does with `--durability memory`. */
export const passingKeys = (chance: Chance): Keys => ({
  guests: chance.bytes(KEY_BYTES),
  cluster: chance.bytes(KEY_BYTES),
})

const reasonOf = (error: unknown): string => {
  const code = codeOf(error)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'this user may not read and write there'
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'it is not a folder'
  if (code === 'ENOSPC') return 'the disk is full'
  return messageOf(error)
}

const openKey = (file: string, chance: Chance): Uint8Array => {
  const key = readKey(file)
  if (key !== null) return key
  const temporary = `${file}.${Buffer.from(chance.bytes(8)).toString('hex')}`
  const handle = openSync(temporary, 'wx', 0o600)
  try {
    writeFileSync(handle, chance.bytes(KEY_BYTES))
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  try {
    linkSync(temporary, file)
  } catch (error) {
    // Another process made it in the meantime: its key is the one.
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(temporary, { force: true })
  }
  const made = readKey(file)
  if (made === null) throw new CannotStart(`${file} was deleted while it was made: start again.`)
  return made
}

const readKey = (file: string): Uint8Array | null => {
  try {
    const key = readFileSync(file)
    if (key.length === KEY_BYTES) return new Uint8Array(key)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
  throw new CannotStart(`${file} is damaged: put it back from a backup, or delete it (all guests are then new ones).`)
}
