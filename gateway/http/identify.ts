import { Refusal } from '../../protocol/errors.ts'
import type { Auth } from '../auth.ts'
import type { Identity } from '../identity.ts'
import { credentialsOf } from './credentials.ts'
import type { OriginPolicy } from './origin.ts'
import type { HttpRequest } from './reply.ts'

/**
 * Resolves with who sends a request. Rejects with Refusal. A cookie comes along with requests of any page's making: it counts only
 * where the Origin is allowed, and a POST that has none is refused.
 */
export const identify = async (
  { method, headers }: HttpRequest,
  { auth, allows }: { auth: Pick<Auth, 'verify'>; allows: OriginPolicy },
): Promise<Identity> => {
  const credentials = credentialsOf(headers.get('authorization'), headers.get('cookie'))
  if (!credentials) throw new Refusal('unauthorized', 'a token is needed: Authorization: Bearer, or the cookie madang')
  const origin = headers.get('origin')
  if (credentials.from === 'cookie') {
    if (origin !== undefined && !allows(origin, headers.get('host')))
      throw new Refusal('forbidden', 'this Origin is not allowed: see --origins')
    if (origin === undefined && method === 'POST')
      throw new Refusal('forbidden', 'a POST with the cookie needs an Origin header: use Authorization: Bearer instead')
  }
  return auth.verify(credentials.token)
}
