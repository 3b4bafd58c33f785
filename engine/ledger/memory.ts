import type { Clock } from '../../protocol/clock.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'

/** How long a key stays after its last `post`. */
const FADES_AFTER_MS = 60_000

/**
 * Returns a ledger that lasts as long as the object, shared by all who hold it. Each watcher is told every change, in order,
 * in microtasks after it was written.
 */
export const memoryLedger = ({ clock }: { clock: Clock }): Ledger => {
  const entries = new Map<string, LedgerEntry>()
  const watchers = new Set<(entry: LedgerEntry) => void>()
  const fading = new Map<string, () => void>()
  let revision = 0

  const write = (key: string, value: string | null): number => {
    revision += 1
    const entry: LedgerEntry = { key, value, revision }
    fading.get(key)?.()
    fading.delete(key)
    // Rising revisions are the order of the map too: it is what a new watcher is told.
    entries.delete(key)
    if (value !== null) entries.set(key, entry)
    for (const tell of watchers) tell(entry)
    return revision
  }

  return {
    async watch(hear) {
      let ended = false
      let queue: LedgerEntry[] = []
      const tellAll = (): void => {
        const told = queue
        queue = []
        for (const entry of told) if (!ended) hear(entry)
      }
      const tell = (entry: LedgerEntry): void => {
        if (queue.push(entry) === 1) queueMicrotask(tellAll)
      }
      watchers.add(tell)
      for (const entry of entries.values()) tell(entry)
      while (queue.length > 0) await Promise.resolve()
      return () => {
        ended = true
        watchers.delete(tell)
      }
    },
    post(key, value) {
      write(key, value)
      const cancel = clock.after(FADES_AFTER_MS, () => write(key, null))
      fading.set(key, cancel)
    },
    async put(key, value, last) {
      return (entries.get(key)?.revision ?? 0) === last ? write(key, value) : null
    },
  }
}
