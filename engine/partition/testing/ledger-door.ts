import type { Clock } from '../../../protocol/clock.ts'
import { type Ledger, type LedgerEntry, LedgerSilent } from '../../ledger/ledger.ts'

/** How long a put waits for its answer. */
const PUT_WAITS_MS = 2_000

/** A process with a clock of its own, and a way to the ledger: both may stop. */
export interface Host {
  readonly clock: Clock
  readonly ledger: Ledger
  /** Freezes everything that runs here; what comes meanwhile runs when it wakes, in order. */
  pause(): void
  wake(): void
  crash(): void
  /** Puts its clock forward, or back. */
  stepClock(ms: number): void
  /** What it sends next takes so much longer, and all after that arrives after it. */
  delay(ms: number): void
  readonly isPaused: boolean
  /** Nothing that it writes arrives, and it hears nothing until it is mended. */
  cut(): void
  mend(): void
}

/** Returns a host whose way to the ledger takes `delay()` ms in each direction, in order. */
export const ledgerHost = (ledger: Ledger, real: Clock, delay: () => number): Host => {
  let state: 'runs' | 'paused' | 'crashed' = 'runs'
  let isCut = false
  let offset = 0
  let held: (() => void)[] = []
  let unheard: (() => void)[] = []
  const arrives = { there: 0, back: 0 }

  const run = (task: () => void): void => {
    if (state === 'runs') task()
    else if (state === 'paused') held.push(task)
  }
  const travel = (way: 'there' | 'back', task: () => void): void => {
    arrives[way] = Math.max(arrives[way], real.now() + delay())
    const at = arrives[way]
    // Timers that are due together may run in any order: those before it first.
    arrives[way] += 0.001
    real.after(at - real.now(), task)
  }
  const back = (task: () => void): void =>
    travel('back', () => {
      if (isCut) unheard.push(() => run(task))
      else run(task)
    })

  const clock: Clock = {
    now: () => real.now() + offset,
    elapsed: () => real.elapsed(),
    after: (ms, task) => real.after(ms, () => run(task)),
    soon: (task) => real.soon(() => run(task)),
  }

  return {
    clock,
    ledger: {
      async watch(hear) {
        const tell = (entry: LedgerEntry): void => back(() => hear(entry))
        const end = await ledger.watch(tell)
        await new Promise<void>((resolve) => back(resolve))
        return end
      },
      post: (key, value) => {
        if (!isCut) travel('there', () => ledger.post(key, value))
      },
      put: (key, value, revision) =>
        new Promise((resolve, reject) => {
          const cancel = clock.after(PUT_WAITS_MS, () => reject(new LedgerSilent('no answer')))
          if (isCut) return
          travel('there', () => {
            ledger.put(key, value, revision).then(
              (written) => {
                travel('back', () => {
                  if (isCut) return
                  cancel()
                  run(() => resolve(written))
                })
              },
              () => {},
            )
          })
        }),
    },
    pause() {
      if (state === 'runs') state = 'paused'
    },
    wake() {
      if (state !== 'paused') return
      state = 'runs'
      const tasks = held
      held = []
      for (const task of tasks) real.soon(() => run(task))
    },
    crash() {
      state = 'crashed'
    },
    stepClock(ms) {
      offset += ms
    },
    delay(ms) {
      arrives.there = Math.max(arrives.there, real.now() + ms)
    },
    get isPaused() {
      return state === 'paused'
    },
    cut() {
      isCut = true
    },
    mend() {
      isCut = false
      const entries = unheard
      unheard = []
      for (const entry of entries) real.soon(entry)
    },
  }
}
