/** A value of a key. Revisions rise over all keys: one order for everything that is written. */
export interface LedgerEntry {
  readonly key: string
  /** Null where the key was deleted. */
  readonly value: string | null
  readonly revision: number
}

/** The ledger did not answer: whether it wrote, or will write yet, is not known; `watch` will tell. */
export class LedgerSilent extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.name = 'LedgerSilent'
  }
}

/** Of each key a ledger keeps so many of its last changes for watchers that lag behind. */
export const CHANGES_KEPT = 8

/**
 * A few hundred keys that all engines see change in one order: what they agree by about who owns what. Survives its writers.
 * A watcher may lag behind, and has seen all that was written before what it sees.
 */
export interface Ledger {
  /**
   * Calls `hear` with the newest value of each key that is there, then with each later change, by rising revision. Resolves, once what was
   * there is told, with the function that ends it. It outlives every loss of the ledger: of what changed meanwhile it tells at least the last
   * CHANGES_KEPT of each key, in order.
   */
  watch(hear: (entry: LedgerEntry) => void): Promise<() => void>
  /** Writes and does not wait; it may be lost. The key disappears by itself about a minute after the last such write. */
  post(key: string, value: string): void
  /**
   * Writes where the key's last revision is `revision` (0: it never had one). Resolves with the new revision, or with null where
   * the key has another one. Rejects with LedgerSilent.
   */
  put(key: string, value: string, revision: number): Promise<number | null>
}
