import { ERROR_CODES } from '../protocol/errors.ts'
import { MadangError } from './error.ts'

/** The text under `key` in a body of JSON, or null. Pure. */
export const textOf = (body: unknown, key: string): string | null => {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, key) : null
  return typeof value === 'string' ? value : null
}

/** The JSON in `bytes`; null where there is none. Pure. */
export const jsonOf = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

/** The error that an answer with a problem (RFC 9457) stands for. Pure. */
export const problemOf = (status: number, body: unknown, what: string): MadangError => {
  const named = textOf(body, 'code')
  const code = ERROR_CODES.find((code) => code === named) ?? (status >= 500 ? 'unavailable' : 'forbidden')
  const message = textOf(body, 'detail') ?? textOf(body, 'title') ?? `the server answered ${status} to ${what}`
  return new MadangError(code, message, body)
}
