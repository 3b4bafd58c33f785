import { FOLLOWS_MS } from './channel.ts'
import type { Pace } from './poll.ts'

const WAIT_SECONDS = 25
const SHORTEST_SECONDS = 5
/** Of what a poll lasted before something between cut it, the next one waits this much. */
const CUT_TO = 0.7
/** A server that does not hold a poll is not asked more often than this. */
const EMPTY_MS = 1_000

/** Polls that the server holds until something happens; each link learns how long the proxies between let it wait. */
export const patient = (): Pace => {
  let wait = WAIT_SECONDS
  return {
    wait: () => wait,
    pause: (lasted, status) => (status === 204 ? Math.max(0, EMPTY_MS - lasted) : 0),
    follows: FOLLOWS_MS,
    cut: (lasted) => {
      if (lasted < SHORTEST_SECONDS * 1000 || wait === SHORTEST_SECONDS) return false
      wait = Math.max(SHORTEST_SECONDS, Math.min(wait, Math.floor(lasted / 1000)) * CUT_TO)
      wait = Math.round(wait * 10) / 10
      return true
    },
    failures: 2,
  }
}
