import type { Logger } from 'pino'
import type { Report } from '../engine/room/writer.ts'
import type { Clock } from '../protocol/clock.ts'

/** So many lines of one kind are written out within the time; of more there is a number at its end. */
const ALIKE = 20
const WITHIN_MS = 10_000

/** Writes what the engine reports to the log. A log of events that is away concerns each of thousands of rooms, every few seconds. */
export const reportTo = (log: Logger, clock: Clock): Report => {
  /** How many there were, by what stands before the colon: what follows may name the room. */
  const counts = new Map<string, number>()
  return (level, message, fields) => {
    const [kind = ''] = message.split(':', 1)
    const before = counts.get(kind)
    counts.set(kind, (before ?? 0) + 1)
    if (before === undefined)
      clock.after(WITHIN_MS, () => {
        const more = (counts.get(kind) ?? 0) - ALIKE
        counts.delete(kind)
        if (more > 0) log[level]({ more }, `${kind}: ${more} more within ${WITHIN_MS / 1_000} s`)
      })
    if ((before ?? 0) < ALIKE) log[level](fields, message)
  }
}
