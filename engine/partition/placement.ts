import type { EngineId } from '../../bus/messages.ts'
import { fnv1a, PARTITIONS } from '../../bus/subjects.ts'

/** The finalizer of MurmurHash3: without it FNV-1a spreads texts that differ in few characters badly over its high bits. */
const mixed = (hash: number): number => {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/**
 * The engine out of `engines` that should own a partition, or null where there is none: rendezvous hashing. Pure. It does not
 * depend on the order of the list; an engine that comes or goes moves no partition between others.
 */
export const placed = (partition: number, engines: Iterable<EngineId>): EngineId | null => {
  let best: EngineId | null = null
  let most = -1
  for (const engine of engines) {
    const score = mixed(fnv1a(`${engine} ${partition}`))
    if (score > most || (score === most && best !== null && engine < best)) {
      best = engine
      most = score
    }
  }
  return best
}

/** Where every partition should be; worked out anew only when the engines are others than before. */
export class Placement {
  #engines = ''
  #placed: readonly (EngineId | '')[] = []

  /** By partition: its engine, or '' where there is none. */
  of(engines: readonly EngineId[]): readonly (EngineId | '')[] {
    const key = engines.join(' ')
    if (key !== this.#engines || this.#placed.length === 0) {
      this.#engines = key
      this.#placed = Array.from({ length: PARTITIONS }, (_, partition) => placed(partition, engines) ?? '')
    }
    return this.#placed
  }
}
