import type { Clock } from '../protocol/clock.ts'

const RESEND_MS = 1_000
/** A timer that is so late woke with the process, which stood still. */
const LATE_MS = 500
/** What came meanwhile is heard within this: an answer that was there, or that nobody waits for one any more. */
const HEARD_WITHIN_MS = 100

/**
 * Calls `send` at once, and again every second as long as it returns true; `giveUp` once the first is `giveUpMs` ago. A process
 * that stood still hears what came meanwhile before it calls either. Returns the function that ends it.
 */
export const resend = (clock: Clock, giveUpMs: number, send: () => boolean, giveUp: () => void): (() => void) => {
  let cancel = () => {}
  const go = (sends: number): void => {
    // Counted, for the clock may step.
    if (sends * RESEND_MS >= giveUpMs) {
      giveUp()
      return
    }
    if (!send()) return
    const sentAt = clock.elapsed()
    cancel = clock.after(RESEND_MS, () => {
      if (clock.elapsed() - sentAt < RESEND_MS + LATE_MS) go(sends + 1)
      else cancel = clock.after(HEARD_WITHIN_MS, () => go(sends + 1))
    })
  }
  go(0)
  return () => cancel()
}
