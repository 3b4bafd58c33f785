import type { Chance } from '../../protocol/clock.ts'
import { CLOSE } from '../../protocol/errors.ts'
import { backoff } from '../backoff.ts'
import { type Ending, endingOf, LOST } from '../link.ts'
import { jsonOf, problemOf, textOf } from '../problem.ts'
import type { Answer } from './http.ts'

const RETRY_CAP_MS = 5_000
/** Failures in a row after which the link is at its end. */
const FAILURES = 3

/** An answer that does not bring what was asked for; null: there was none. */
export type Refused = Pick<Answer, 'status' | 'retryAfter' | 'body'> | null

/**
 * What follows the `times`-th refusal in a row: ms until another attempt is worth while, or the ending of the link. Pure but for what it
 * draws from `chance`.
 */
export const afterRefusal = (refused: Refused, times: number, chance: Chance): number | Ending => {
  const { status, retryAfter, body } = refused ?? { status: 0, retryAfter: 0, body: new Uint8Array() }
  const wait = retryAfter + backoff(times, chance, RETRY_CAP_MS)
  if (status === 429) return wait
  const problem = jsonOf(body)
  // What names no code was not said by the server, but by something between.
  if (status === 0 || status >= 500 || textOf(problem, 'code') === null) {
    if (times < FAILURES) return wait
    const reason = status === 0 ? 'the server does not answer' : `the server answered ${status}`
    return endingOf(LOST, reason, { bye: retryAfter > 0 ? { reason, retryAfter, resume: true } : null })
  }
  const { message } = problemOf(status, problem, 'a request')
  const code = status === 401 ? CLOSE.unauthorized : status === 403 ? CLOSE.policy : CLOSE.malformed
  return endingOf(code, message)
}
