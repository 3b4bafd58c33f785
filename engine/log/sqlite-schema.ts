import type { DatabaseSync } from 'node:sqlite'
import { StorageError } from './log.ts'

/** Marks the file as ours: "mdng". */
const APPLICATION_ID = 0x6d646e67
const FORMAT = 1

/**
 * `record` is append-only by rowid, without an index: an append touches the last page and no other. Where the records of
 * a room are is in `place`, which is written in bulk behind it, up to the counter `placed`.
 */
const SCHEMA = `
  CREATE TABLE record (position INTEGER PRIMARY KEY, room TEXT NOT NULL, body BLOB NOT NULL) STRICT;
  CREATE TABLE place (room TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (room, position)) STRICT, WITHOUT ROWID;
  CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counter VALUES ('placed', 0), ('epoch', 0);
  CREATE TABLE snapshot (room TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
  CREATE TABLE room (
    room TEXT PRIMARY KEY, game TEXT NOT NULL, rules TEXT NOT NULL, status TEXT NOT NULL, due INTEGER,
    public INTEGER NOT NULL, phase TEXT NOT NULL, players INTEGER NOT NULL, seq INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX room_by_status ON room (status, room);
  CREATE TABLE rules (hash TEXT PRIMARY KEY, game TEXT NOT NULL, version INTEGER NOT NULL, source TEXT NOT NULL) STRICT;
  CREATE TABLE player_key (player TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`

/** The one integer that this statement selects; throws where it selects anything else. */
const integer = (db: DatabaseSync, sql: string): number => {
  const value = Object.values(db.prepare(sql).get() ?? {})[0]
  if (typeof value !== 'number') throw new Error(`${sql}: no number`)
  return value
}

/** Whether the database is still empty; throws StorageError where it is not ours, or newer than this program. */
export const isEmpty = (db: DatabaseSync, file: string): boolean => {
  const version = integer(db, 'PRAGMA user_version')
  if (version === 0 && integer(db, 'SELECT count(*) FROM sqlite_schema') === 0) return true
  if (integer(db, 'PRAGMA application_id') !== APPLICATION_ID) {
    throw new StorageError(`${file}: a database, but not Madang's: choose another folder with --data`)
  }
  if (version !== FORMAT) {
    throw new StorageError(
      `${file}: written by a newer Madang (format ${version}, this one knows ${FORMAT}): update Madang, or choose another folder with --data`,
    )
  }
  return false
}

/** Makes the tables, all or none. */
export const createSchema = (db: DatabaseSync): void => db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`)
