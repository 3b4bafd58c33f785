import { messageOf } from '../../protocol/errors.ts'

/** Primary result codes of SQLite that we tell apart (sqlite.org/rescode.html). */
const BUSY = 5
const READ_ONLY = 8
const IO = 10
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26

/** The primary result code of an error that SQLite reported, or null for any other error. Pure. */
const codeOf = (error: unknown): number | null =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : null

/** Whether another connection holds the lock. Pure. */
export const isBusy = (error: unknown): boolean => codeOf(error) === BUSY

/** Whether the same work may succeed later: the disk is full or failing, or a reader is in the way. Pure. */
export const mayPass = (error: unknown): boolean => [BUSY, IO, FULL].includes(codeOf(error) ?? -1)

/** What is wrong and what to do, in one line without a full stop. Pure. */
export const describeTrouble = (error: unknown): string => {
  const said = messageOf(error)
  switch (codeOf(error)) {
    case FULL:
      return 'the disk is full: make space'
    case IO:
      return `the disk failed (${said}): check the disk and its file system`
    case CORRUPT:
      return `the database is damaged (${said}): restore the folder from a backup, or move it away to start anew`
    case NOT_A_DATABASE:
      return 'not a database: it is damaged or belongs to something else. Restore it from a backup, or choose another folder with --data'
    case READ_ONLY:
    case CANNOT_OPEN:
      return `no permission to open it (${said}): give this user read and write access, or choose another folder with --data`
    case BUSY:
      return `another process holds it (${said}): end that process`
    default:
      return said
  }
}
