import type { Chance, Clock } from '../../protocol/clock.ts'

export interface VirtualTime extends Clock {
  /** Runs everything that is due now, promises too, until nothing is left. */
  settle(): Promise<void>
  /** Lets `ms` pass, running what falls due on the way. */
  pass(ms: number): Promise<void>
}

/** A clock that moves only when it is told to. */
export const virtualTime = (): VirtualTime => {
  let now = 1_700_000_000_000
  let last = 0
  const timers = new Map<number, { at: number; task: () => void }>()
  let turn: (() => void)[] = []

  const settle = async () => {
    for (let idle = 0; idle < 20; idle++) {
      await Promise.resolve()
      if (turn.length === 0) continue
      const tasks = turn
      turn = []
      idle = 0
      for (const task of tasks) task()
    }
  }
  const next = (until: number) =>
    [...timers].filter(([, { at }]) => at <= until).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0]

  return {
    now: () => now,
    after(ms, task) {
      const id = ++last
      timers.set(id, { at: now + ms, task })
      return () => void timers.delete(id)
    },
    soon: (task) => void turn.push(task),
    settle,
    async pass(ms) {
      const until = now + ms
      await settle()
      for (let due = next(until); due; due = next(until)) {
        timers.delete(due[0])
        now = Math.max(now, due[1].at)
        due[1].task()
        await settle()
      }
      now = until
    },
  }
}

/** Numbers in sequence: never the same twice. */
export const countingChance = (): Chance => {
  let count = 0
  return {
    uint32: () => ++count,
    bytes(n) {
      const bytes = new Uint8Array(n)
      new DataView(bytes.buffer).setUint32(0, ++count)
      return bytes
    },
  }
}
