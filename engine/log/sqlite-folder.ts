import { accessSync, closeSync, constants, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DataFolderInUse, StorageError } from './log.ts'
import { createSchema, isEmpty } from './sqlite-schema.ts'
import { describeTrouble, isBusy } from './sqlite-trouble.ts'

export const LOG_FILE = 'log.db'
const LOCK_FILE = 'lock'
/** How long a statement waits for a reader that is in its way; appends never meet one. */
const BUSY_WAIT_MS = 250
const CACHE_KIB = 32_768

const errnoOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)

/** Without it a power cut may forget the folder, and with it all that was acknowledged in it. */
const syncFolder = (folder: string) => {
  const fd = openSync(folder, constants.O_RDONLY)
  fsyncSync(fd)
  closeSync(fd)
}

const makeFolder = (dir: string) => {
  const first = mkdirSync(dir, { recursive: true, mode: 0o700 })
  for (let at = dir; first !== undefined && at.length >= first.length; at = dirname(at)) syncFolder(dirname(at))
  accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
}

/** What is wrong with a folder or a file in it and what to do, in one line without a full stop. Pure. */
export const adviceFor = (error: unknown): string => {
  const code = errnoOf(error)
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'not a directory: choose another with --data'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return 'no permission: give this user read and write access, or choose another with --data'
  }
  return describeTrouble(error)
}

/** SQLite gives its -wal and -shm files the mode of the database. */
const createPrivately = (file: string) => {
  try {
    closeSync(openSync(file, 'ax', 0o600))
  } catch (error) {
    // A file that is there is not opened: closing it would drop the locks that this process holds on it.
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}

/** Holds the folder until the returned database is closed or the process dies, however it dies. */
const lockFolder = (dir: string): DatabaseSync => {
  const file = join(dir, LOCK_FILE)
  createPrivately(file)
  const lock = new DatabaseSync(file)
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    throw isBusy(error) ? new DataFolderInUse(dir) : error
  }
}

const openLog = (dir: string): DatabaseSync => {
  const file = join(dir, LOG_FILE)
  createPrivately(file)
  const db = new DatabaseSync(file, { timeout: BUSY_WAIT_MS })
  try {
    const empty = isEmpty(db, file)
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()
    if (mode?.journal_mode !== 'wal') {
      throw new StorageError(`${file}: its file system has no shared memory: choose a local disk with --data`)
    }
    // Checkpoints are ours to time (not inside an append), and a forgotten key must not linger in a free page.
    db.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON;
      PRAGMA cache_size = -${CACHE_KIB}`)
    if (empty) createSchema(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

export interface Folder {
  db: DatabaseSync
  /** Closes the log and then lets go of the folder. */
  close(): void
}

/** The folder's log, opened for this process alone. Throws DataFolderInUse or StorageError, and then holds nothing. */
export const openFolder = (path: string): Folder => {
  const dir = resolve(path)
  try {
    makeFolder(dir)
    const lock = lockFolder(dir)
    try {
      const db = openLog(dir)
      return {
        db,
        close() {
          db.close()
          lock.close()
        },
      }
    } catch (error) {
      lock.close()
      throw error
    }
  } catch (error) {
    if (error instanceof StorageError) throw error
    throw new StorageError(`data folder ${dir}: ${adviceFor(error)}`, { cause: error })
  }
}
