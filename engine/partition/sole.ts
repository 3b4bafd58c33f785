import { PARTITIONS } from '../../bus/subjects.ts'
import type { Owner, Ownership } from './ownership.ts'

/** All partitions are the engine's for as long as it runs: there is no other. */
export const soleOwnership = (epoch: number): Ownership => {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
  let owner: Owner | null = null
  return {
    isSure: true,
    engines: 1,
    async start(of) {
      owner = of
      of.own(new Map(partitions.map((partition) => [partition, epoch])))
    },
    sure: () => Promise.resolve(),
    async leave() {
      await Promise.all(partitions.map((partition) => owner?.release(partition)))
    },
    abandon() {},
  }
}
