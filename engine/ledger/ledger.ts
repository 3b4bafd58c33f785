/** A key's newest value. Revisions rise over all keys: one order for everything that is written. */
export interface LedgerEntry {
  readonly key: string
  /** Null where the key was deleted. */
  readonly value: string | null
  readonly revision: number
}

/** The ledger did not answer: whether it wrote is not known, and `watch` will tell. */
export class LedgerSilent extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.name = 'LedgerSilent'
  }
}

/**
 * A few hundred keys that all engines see change in one order: what they agree by about who owns what. Survives its writers.
 * A watcher may lag behind, and sees all that was written before what it sees.
 */
export interface Ledger {
  /**
   * Calls `hear` with each key that is there, then with each later change, by rising revision; of changes of one key in quick
   * succession it may leave out all but the last. Resolves, once what was there is told, with the function that ends it.
   */
  watch(hear: (entry: LedgerEntry) => void): Promise<() => void>
  /** Writes and does not wait; it may be lost. The key disappears by itself some time after the last such write. */
  post(key: string, value: string): void
  /**
   * Writes where the key's last revision is `revision` (0: it has none). Resolves with the new revision, or with null where
   * the key has another one. Rejects with LedgerSilent.
   */
  put(key: string, value: string, revision: number): Promise<number | null>
}
