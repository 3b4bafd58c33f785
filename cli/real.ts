import { randomBytes, randomFillSync } from 'node:crypto'
import type { Chance, Clock } from '../protocol/clock.ts'

/** Node fires a longer timer at once; of one below 0 it warns. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The machine's time. */
export const realClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (ms, task) => {
    const wait = (left: number): NodeJS.Timeout =>
      left > LONGEST_TIMER_MS
        ? setTimeout(() => {
            timer = wait(left - LONGEST_TIMER_MS)
          }, LONGEST_TIMER_MS)
        : setTimeout(task, Math.max(0, left))
    let timer = wait(ms)
    return () => clearTimeout(timer)
  },
  soon: (task) => {
    setImmediate(task)
  },
}

/** Drawn from the system at once: a call for each event would cost as much as a step of the rules. */
const POOL_BYTES = 4_096
const pool = Buffer.alloc(POOL_BYTES)
let drawn = POOL_BYTES

/** The system's cryptographically strong randomness; no byte of it is given twice. */
export const realChance: Chance = {
  uint32: () => {
    if (drawn === POOL_BYTES) {
      randomFillSync(pool)
      drawn = 0
    }
    drawn += 4
    return pool.readUInt32LE(drawn - 4)
  },
  bytes: (n) => new Uint8Array(randomBytes(n)),
}
