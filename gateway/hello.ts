import { decode } from '../protocol/codec.ts'
import { PROTOCOL_VERSION, SESSION_ID, type SessionId } from '../protocol/frames.ts'

export interface Hello {
  token: string | null
  session: SessionId | null
}

/** Longer ones are refused before any signature is checked. */
export const TOKEN_CHARACTERS = 8_192

/** Returns what a HELLO asks for, or why it gets `bad_frame`. Pure. The bytes must have passed `scan`. */
export const readHello = (bytes: Uint8Array, limits: { bytes: number; depth: number }): Hello | string => {
  const frame = decode(bytes, limits)
  const ask: unknown = Array.isArray(frame) ? frame[1] : undefined
  if (typeof ask !== 'object' || ask === null || Array.isArray(ask) || ask instanceof Uint8Array)
    return 'HELLO: a map {v, token?, session?, client?} was expected'
  const { v, token, session, client } = ask as Partial<Record<'v' | 'token' | 'session' | 'client', unknown>>
  if (v !== PROTOCOL_VERSION) return `HELLO: this server speaks v ${PROTOCOL_VERSION} only`
  if (!isAbsent(token) && typeof token !== 'string') return 'HELLO: token is text'
  if (!isAbsent(session) && typeof session !== 'string') return 'HELLO: session is text'
  if (!isAbsent(client) && typeof client !== 'string') return 'HELLO: client is text'
  return {
    token: typeof token === 'string' ? token : null,
    session: typeof session === 'string' && SESSION_ID.test(session) ? session : null,
  }
}

const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined
