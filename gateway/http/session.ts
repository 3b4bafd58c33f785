import { Refusal } from '../../protocol/errors.ts'
import { SESSION_ID, type SessionId } from '../../protocol/frames.ts'
import type { HttpRequest } from './reply.ts'

/** The session of requests that name none and carry no refs: the same for all of them, as nothing hangs on it. */
export const NO_SESSION: SessionId = 'no-session-given'

/** Returns the session that a request names, or null. Pure. Throws Refusal where it is ill-formed. */
export const sessionOf = ({ headers, query }: HttpRequest): SessionId | null => {
  const session = headers.get('madang-session') ?? query.get('session')
  if (session === null) return null
  if (SESSION_ID.test(session)) return session
  throw new Refusal('bad_frame', 'Madang-Session (or ?session=): 16 to 64 of A-Z a-z 0-9 _ - were expected')
}
