import { randomBytes } from 'node:crypto'
import type { Chance, Clock } from '../protocol/clock.ts'

/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The machine's time. */
export const realClock: Clock = {
  now: () => Date.now(),
  after: (ms, task) => {
    const wait = (left: number): NodeJS.Timeout =>
      left > LONGEST_TIMER_MS
        ? setTimeout(() => {
            timer = wait(left - LONGEST_TIMER_MS)
          }, LONGEST_TIMER_MS)
        : setTimeout(task, left)
    let timer = wait(ms)
    return () => clearTimeout(timer)
  },
  soon: (task) => {
    setImmediate(task)
  },
}

/** The system's cryptographically strong randomness. */
export const realChance: Chance = {
  uint32: () => randomBytes(4).readUInt32LE(),
  bytes: (n) => new Uint8Array(randomBytes(n)),
}
