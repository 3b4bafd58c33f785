import { CLOSE } from '../protocol/errors.ts'
import { MadangError } from './error.ts'
import type { Ending } from './link.ts'

export type ClosedWhy = 'asked' | 'unauthorized' | 'taken over' | 'refused'

/** The end of a session, which is for good: `why` is for programs, `error.message` for people. */
export interface Closing {
  readonly why: ClosedWhy
  readonly error: MadangError
}

/** Why it makes no sense to come back after this ending, by whichever transport; null where it does. Pure. */
export const closingOf = ({ code, reason, bye, error, welcomed }: Ending): Closing | null => {
  switch (code) {
    case CLOSE.unauthorized:
      return {
        why: 'unauthorized',
        error: new MadangError('unauthorized', error?.message ?? (reason || 'the token was refused')),
      }
    case CLOSE.takenOver:
      return {
        why: 'taken over',
        error: new MadangError('conflict', 'the session was taken over by a newer connection'),
      }
    case CLOSE.malformed:
    case CLOSE.tooLarge:
    case CLOSE.textMessage: {
      const why = reason === '' ? '' : `: ${reason}`
      return refused('bad_frame', `the server could not read what this client sent (${code}${why})`)
    }
  }
  if (bye !== null && !bye.resume) return refused('unavailable', `the server ended the session: ${bye.reason}`)
  // After WELCOME, an ERR without a ref is about a CAST or INPUT.
  return !welcomed && error?.code === 'bad_frame' ? { why: 'refused', error } : null
}

const refused = (code: 'bad_frame' | 'unavailable', message: string): Closing => ({
  why: 'refused',
  error: new MadangError(code, message),
})
