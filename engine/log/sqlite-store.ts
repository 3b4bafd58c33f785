import { Fenced } from './log.ts'
import type { Folder } from './sqlite-folder.ts'
import { type Failure, isRead, type Operation, type Outcome } from './sqlite-messages.ts'
import { SqliteOperations } from './sqlite-operations.ts'
import { SqlitePlaces } from './sqlite-places.ts'
import { SqliteQueries } from './sqlite-queries.ts'
import { describeTrouble, mayPass } from './sqlite-trouble.ts'

/** The WAL is copied into the database after so much was written to it. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024
const failureOf = (error: unknown, operation: Operation): Failure => {
  if (error instanceof Fenced) return { kind: 'fenced', room: error.room }
  return { kind: isRead(operation) ? 'unreadable' : 'not_stored', message: describeTrouble(error) }
}

/**
 * The log of one data folder, synchronous: it lives in the worker thread. Operations come in batches, and a batch is one
 * transaction and one fsync; each write of several has a savepoint of its own, so that one that fails takes no other with it.
 */
export class SqliteStore {
  readonly #folder: Folder
  readonly #queries: SqliteQueries
  readonly #places: SqlitePlaces
  readonly #operations: SqliteOperations

  /** Takes the folder over, and closes it if what it holds cannot be read: throws what SQLite throws. */
  constructor(folder: Folder) {
    this.#folder = folder
    try {
      this.#queries = new SqliteQueries(folder.db)
      this.#places = new SqlitePlaces(this.#queries)
      this.#operations = new SqliteOperations(this.#queries, this.#places)
    } catch (error) {
      folder.close()
      throw error
    }
  }

  /** The outcomes, in order, of operations that are durable or refused when this returns. */
  run(operations: readonly Operation[]): Outcome[] {
    if (operations.every(isRead)) return operations.map((operation) => this.#outcome(operation))
    const together = operations.length > 1 ? this.#transaction(operations) : null
    return together ?? operations.map((operation) => this.#alone(operation))
  }

  /** True while there is work that may follow after the answers. */
  get behind(): boolean {
    return this.#places.behind || this.#checkpointDue
  }

  /** One portion of that work. A full or failing disk leaves it for later: the appends meet that too, and say so. */
  catchUp(): void {
    try {
      if (this.#places.behind) this.#places.placeSlice()
      if (!this.#checkpointDue) return
      // Only an emptied WAL has no page left with a forgotten key; a reader in the way has it tried again.
      const row = this.#queries.first(`PRAGMA wal_checkpoint(${this.#operations.forgotten ? 'TRUNCATE' : 'PASSIVE'})`)
      if (row?.busy === 0) this.#operations.forgotten = false
    } catch (error) {
      if (!mayPass(error)) throw error
    }
    this.#operations.written = 0
  }

  /** Leaves the folder as one file without a tail, and lets go of it, also where that throws. */
  close(): void {
    try {
      this.#places.placeAll()
      this.#queries.run('PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      this.#folder.close()
    }
  }

  get #checkpointDue(): boolean {
    return this.#operations.forgotten || this.#operations.written >= CHECKPOINT_BYTES
  }

  /** Null where the transaction as a whole failed: nothing of it is stored. */
  #transaction(operations: readonly Operation[]): Outcome[] | null {
    try {
      this.#queries.run('BEGIN IMMEDIATE')
      const outcomes: Outcome[] = []
      for (const operation of operations) {
        outcomes.push(this.#outcome(operation))
        // SQLite ends the whole transaction by itself where a statement met a full or failing disk.
        if (!this.#folder.db.isTransaction) return this.#takeBack()
      }
      this.#queries.run('COMMIT')
      this.#operations.keepStaged()
      return outcomes
    } catch {
      return this.#takeBack()
    }
  }

  #alone(operation: Operation): Outcome {
    try {
      this.#queries.run('BEGIN IMMEDIATE')
      const value = this.#operations.perform(operation)
      this.#queries.run('COMMIT')
      this.#operations.keepStaged()
      return { ok: true, value }
    } catch (error) {
      this.#takeBack()
      return { ok: false, failure: failureOf(error, operation) }
    }
  }

  #outcome(operation: Operation): Outcome {
    if (isRead(operation)) {
      try {
        return { ok: true, value: this.#operations.perform(operation) }
      } catch (error) {
        return { ok: false, failure: failureOf(error, operation) }
      }
    }
    this.#queries.run('SAVEPOINT operation')
    let outcome: Outcome
    try {
      outcome = { ok: true, value: this.#operations.perform(operation) }
    } catch (error) {
      if (this.#folder.db.isTransaction) this.#queries.run('ROLLBACK TO operation')
      outcome = { ok: false, failure: failureOf(error, operation) }
    }
    if (this.#folder.db.isTransaction) this.#queries.run('RELEASE operation')
    return outcome
  }

  #takeBack(): null {
    this.#queries.rollback()
    this.#operations.dropStaged()
    return null
  }
}
