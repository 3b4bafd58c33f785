import { PARTITIONS } from '../../bus/subjects.ts'
import type { Owner, Ownership } from './ownership.ts'

const ALL = Array.from({ length: PARTITIONS }, (_, partition) => partition)

/** Returns the ownership of the only engine that there is: of all partitions, with this epoch, never in doubt. */
export const soleOwnership = (epoch: number): Ownership => {
  let owner: Owner | null = null
  return {
    isSure: true,
    engines: 1,
    async start(started) {
      owner = started
      started.own(new Map(ALL.map((partition) => [partition, epoch])))
    },
    async sure() {},
    async leave() {
      const leaving = owner
      owner = null
      if (leaving) await Promise.all(ALL.map((partition) => leaving.release(partition)))
    },
    abandon() {
      owner = null
    },
  }
}
