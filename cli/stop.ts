import type { EventEmitter } from 'node:events'
import type { Clock } from '../protocol/clock.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const EXIT_CODE = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Ctrl-C reaches every process of the terminal, and npm passes its own copy on: one key press arrives here up to three times
 * within a few milliseconds.
 */
const SAME_SIGNAL_MS = 200

/**
 * Calls `begin` at the first signal to stop and `abort` with an exit code at the next one. Returns the function that stops
 * listening.
 */
export const onStop = (
  source: Pick<EventEmitter, 'on' | 'off'>,
  clock: Clock,
  { begin, abort }: { begin: () => void; abort: (exitCode: number) => void },
): (() => void) => {
  let first: number | null = null
  const handlers = SIGNALS.map((signal) => {
    const handle = () => {
      if (first === null) {
        first = clock.now()
        begin()
      } else if (Math.abs(clock.now() - first) > SAME_SIGNAL_MS) abort(EXIT_CODE[signal])
    }
    source.on(signal, handle)
    return () => source.off(signal, handle)
  })
  return () => {
    for (const stop of handlers) stop()
  }
}
