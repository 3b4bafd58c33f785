import type { Clock } from '../protocol/clock.ts'
import type { Authenticator, Identity } from './identity.ts'

/** How long a token that was good is taken for good, ms: a key that is withdrawn meanwhile still counts that long. */
const KEPT_MS = 60_000
/** Of each of two generations. */
const MOST = 10_000

interface Kept {
  readonly identity: Identity
  readonly until: number
}

/**
 * Returns a `verify` that knows the tokens found good within the last minute: who asks over HTTP brings the same one each time, and
 * checking its signature costs more than all the rest of a poll. Holds at most 20,000; what is asked for again stays.
 */
export const remembering = (authenticator: Authenticator, clock: Clock): Authenticator['verify'] => {
  let young = new Map<string, Kept>()
  let old = new Map<string, Kept>()

  const keep = (token: string, kept: Kept): void => {
    if (young.size >= MOST) {
      old = young
      young = new Map()
    }
    young.set(token, kept)
  }

  return async (token) => {
    const kept = young.get(token) ?? old.get(token)
    const now = clock.now()
    // A clock that stepped back must not make it last.
    if (kept !== undefined && now < kept.until && now >= kept.until - KEPT_MS) {
      if (old.delete(token)) keep(token, kept)
      return kept.identity
    }
    young.delete(token)
    old.delete(token)
    const identity = await authenticator.verify(token)
    keep(token, { identity, until: Math.min(clock.now() + KEPT_MS, identity.expiresAt ?? Number.POSITIVE_INFINITY) })
    return identity
  }
}
