import type { Clock } from '../protocol/clock.ts'
import type { Logger } from './log.ts'
import type { Running } from './roles.ts'

const LOOK_EVERY_MS = 1_000
/** An engine that waits for NATS to choose a leader is back before that. */
const LOOKS = 5

/** Says in the log when the roles have not served for seconds on end, and when they do again. Returns the function that ends it. */
export const sayReadiness = (roles: Pick<Running, 'isReady' | 'status'>, log: Logger, clock: Clock): (() => void) => {
  let missed = 0
  const look = () => {
    if (!roles.isReady()) {
      missed += 1
      if (missed === LOOKS) log.warn(roles.status(), 'not ready for 5 s: no engine is heard, or NATS does not answer')
    } else {
      if (missed >= LOOKS) log.info('ready again')
      missed = 0
    }
    cancel = clock.after(LOOK_EVERY_MS, look)
  }
  let cancel = clock.after(LOOK_EVERY_MS, look)
  return () => cancel()
}
