import { Refusal } from '../../protocol/errors.ts'
import { type Auth, GUEST_TOKEN_SECONDS } from '../auth.ts'
import { jsonBody } from './body.ts'
import { type HttpReply, type HttpRequest, json, problem, refused } from './reply.ts'

/** `POST /v1/guests {name}` → 201 `{token, player}` and the cookie. */
export const postGuest = async (request: HttpRequest, auth: Pick<Auth, 'admitGuest'>): Promise<HttpReply> => {
  if (auth.admitGuest === null) return problem('forbidden', 'guests are off here: use a token of this site')
  const body = await jsonBody(request)
  if ('refusal' in body) return body.refusal
  try {
    const pass = await auth.admitGuest(body.object.name)
    return json(201, pass, { 'Set-Cookie': cookie(pass.token, request.isSecure) })
  } catch (error) {
    if (error instanceof Refusal) return refused(error)
    throw error
  }
}

const cookie = (token: string, isSecure: boolean): string =>
  `madang=${token}; Path=/; Max-Age=${GUEST_TOKEN_SECONDS}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
