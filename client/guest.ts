import { messageOf } from '../protocol/errors.ts'
import { bodyOf } from './body.ts'
import type { Fetch } from './environment.ts'
import { MadangError } from './error.ts'
import { jsonOf, problemOf, textOf } from './problem.ts'

/**
 * The token of a new guest called `name`, from `POST /v1/guests`. Rejects with MadangError: `unavailable` where there was no
 * answer or the server has trouble, else what the server said, such as `forbidden` where guests are off.
 */
export const newGuest = async (fetch: Fetch, origin: string, name: string, signal: AbortSignal): Promise<string> => {
  const headers = { 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify({ name }), signal }
  const answer = await fetch(`${origin}/v1/guests`, init).catch((error: unknown) => {
    throw new MadangError('unavailable', `${origin} did not answer: ${messageOf(error)}`)
  })
  const body = jsonOf(await bodyOf(answer).catch(() => new Uint8Array()))
  const token = textOf(body, 'token')
  if (answer.status < 300 && token !== null) return token
  throw problemOf(answer.status, body, 'a guest')
}
