import type { Chance } from '../protocol/clock.ts'

const BASE_MS = 250
const GROWTH = 1.5

/** Ms to wait before attempt number `attempt` (from 0): anything up to 250 ms, half as much again each time, at most `cap` (full jitter). */
export const backoff = (attempt: number, chance: Chance, cap: number): number =>
  Math.floor((chance.uint32() / 2 ** 32) * Math.min(cap, BASE_MS * GROWTH ** attempt))
