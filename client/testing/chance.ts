import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Chance } from '../../protocol/clock.ts'

/** Chance from a seed: the same draws for the same seed. */
export const seededChance = (seed: number): Chance => {
  const random = xoroshiro128plus(seed)
  return {
    uint32: () => random.next() >>> 0,
    bytes: (n) => Uint8Array.from({ length: n }, () => random.next() & 255),
  }
}
