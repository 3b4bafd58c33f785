import type { Clock } from '../protocol/clock.ts'
import type { Logger } from './log.ts'
import type { Running } from './roles.ts'

const LOOK_EVERY_MS = 1_000
/** An engine that waits for NATS to choose a leader is back before that. */
const LOOKS = 5

/** After so many of them it is tried whether others are reached by another way, and after every further minute. */
const MOVES_AT = [10, 20, 40]
const MOVES_EVERY = 60

/**
 * Says in the log when the roles have not served for seconds on end, and when they do again, and has them try another way meanwhile. Returns the
 * function that ends it.
 */
export const watchReadiness = (
  roles: Pick<Running, 'isReady' | 'moveOn' | 'status'>,
  log: Logger,
  clock: Clock,
): (() => void) => {
  let missed = 0
  const look = () => {
    if (!roles.isReady()) {
      missed += 1
      if (missed === LOOKS) log.warn(roles.status(), 'not ready for 5 s: no engine is heard, or NATS does not answer')
      if (MOVES_AT.includes(missed) || missed % MOVES_EVERY === 0) roles.moveOn()
    } else {
      if (missed >= LOOKS) log.info('ready again')
      missed = 0
    }
    cancel = clock.after(LOOK_EVERY_MS, look)
  }
  let cancel = clock.after(LOOK_EVERY_MS, look)
  return () => cancel()
}
