import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Clock } from '../protocol/clock.ts'

/**
 * Time that passes only when told to. One task runs at a time, and all promises that it settled are followed to their end
 * before the next: first what was put off with `soon`, in order, then the timer due next, those due together in the order
 * in which they were set. The same program therefore runs the same way each time, as long as it waits for nothing outside.
 */
export interface VirtualClock extends Clock {
  /** Runs what falls due within `ms`; the time is then exactly `ms` later. Rejects with what a task throws. */
  advance(ms: number): Promise<void>
  /** Runs tasks until `condition` holds. Rejects when nothing is left to run, or `limit` ms (a minute) passed without it. */
  runUntil(condition: () => boolean, limit?: number): Promise<void>
  /** Timers that wait. */
  readonly timers: number
}

interface Timer {
  due: number
  order: number
  task: (() => void) | null
}

const before = (a: Timer, b: Timer): boolean => a.due < b.due || (a.due === b.due && a.order < b.order)

/** Timers, the next one first: a binary heap. */
class Timers {
  readonly #heap: Timer[] = []

  get size(): number {
    return this.#heap.length
  }

  /** The next timer that was not cancelled. Cancelled ones before it are dropped. */
  next(): Timer | undefined {
    while (this.#heap[0]?.task === null) this.pop()
    return this.#heap[0]
  }

  push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.push(timer) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up]
      if (!parent || before(parent, timer)) break
      heap[at] = parent
      at = up
    }
    heap[at] = timer
  }

  pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let at = 0
    while (true) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
      const child = right && left && before(right, left) ? right : left
      if (!child || before(last, child)) break
      heap[at] = child
      at = child === right ? 2 * at + 2 : 2 * at + 1
    }
    heap[at] = last
  }
}

/** Resolves once every promise that can go on without I/O has gone on. */
const promisesDone = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const START = Date.UTC(2026, 0, 1)

/**
 * A clock at 2026-01-01. With a `seed`, timers due in the same millisecond run in an order drawn from it instead of the order
 * in which they were set: another schedule that the program must bear, the same one for the same seed.
 *
 * @example
 * const clock = virtualClock()
 * clock.after(250, () => retry())
 * await clock.advance(250)
 */
export const virtualClock = (seed?: number): VirtualClock => {
  const timers = new Timers()
  const random = seed === undefined ? null : xoroshiro128plus(seed)
  const soon: (() => void)[] = []
  let now = START
  let set = 0
  let live = 0
  let running = false

  /** The task that is next: what was put off longest, else the timer due next, if it is due at `end` or before. */
  const nextTask = (end: number): (() => void) | null => {
    const waiting = soon.shift()
    if (waiting) return waiting
    const timer = timers.next()
    if (!timer || timer.due > end) return null
    timers.pop()
    now = Math.max(now, timer.due)
    const { task } = timer
    timer.task = null
    live--
    return task
  }

  /** Runs the next task and the promises that it settled; false where there is none until `end`. */
  const turn = async (end: number): Promise<boolean> => {
    const task = nextTask(end)
    task?.()
    await promisesDone()
    return task !== null
  }

  const exclusively = async (run: () => Promise<void>): Promise<void> => {
    if (running) throw new Error('virtual time is already being moved: await the earlier advance or runUntil first')
    running = true
    try {
      await run()
    } finally {
      running = false
    }
  }

  return {
    now: () => now,
    elapsed: () => now - START,
    after: (ms, task) => {
      const order = random ? random.next() : set++
      const timer: Timer = { due: now + Math.max(0, ms), order, task }
      timers.push(timer)
      live++
      return () => {
        if (timer.task === null) return
        timer.task = null
        live--
      }
    },
    soon: (task) => {
      soon.push(task)
    },
    advance: (ms) =>
      exclusively(async () => {
        const end = now + ms
        await promisesDone()
        while (await turn(end));
        now = end
      }),
    runUntil: (condition, limit = 60_000) =>
      exclusively(async () => {
        const end = now + limit
        await promisesDone()
        while (!condition()) {
          if (await turn(end)) continue
          const reason = live > 0 ? `within ${limit} ms` : 'and nothing is left to run'
          throw new Error(`the condition did not come to hold ${reason}: ${condition}`)
        }
      }),
    get timers() {
      return live
    },
  }
}
