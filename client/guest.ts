import { ERROR_CODES, type ErrorCode } from '../protocol/errors.ts'
import type { Fetch } from './environment.ts'
import { MadangError } from './error.ts'

const textOf = (body: unknown, key: string): string | null => {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, key) : null
  return typeof value === 'string' ? value : null
}

const codeOf = (body: unknown, status: number): ErrorCode => {
  const named = textOf(body, 'code')
  return ERROR_CODES.find((code) => code === named) ?? (status >= 500 ? 'unavailable' : 'forbidden')
}

/**
 * The token of a new guest called `name`, from `POST /v1/guests`. Rejects with MadangError: `unavailable` where there was no
 * answer or the server has trouble, else what the server said, such as `forbidden` where guests are off.
 */
export const newGuest = async (fetch: Fetch, origin: string, name: string): Promise<string> => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name }) }
  const answer = await fetch(`${origin}/v1/guests`, init).catch((error: unknown) => {
    throw new MadangError('unavailable', `${origin} did not answer: ${error instanceof Error ? error.message : error}`)
  })
  const body = await answer.json().catch(() => null)
  const token = textOf(body, 'token')
  if (answer.ok && token !== null) return token
  const message = textOf(body, 'detail') ?? textOf(body, 'title') ?? `the server answered ${answer.status} to a guest`
  throw new MadangError(codeOf(body, answer.status), message, body)
}
