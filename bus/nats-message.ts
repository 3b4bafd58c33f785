import { readValue } from '../protocol/decode.ts'
import { isFields } from '../protocol/plain.ts'
import { scan } from '../protocol/scan.ts'
import type { Message } from './messages.ts'
import { MESSAGE_MOST_BYTES } from './nats-parts.ts'

/** What rules and clients may nest lies within messages, and so do JSON schemas. */
export const MESSAGE_DEPTH = 128
const LIMITS = { bytes: MESSAGE_MOST_BYTES, depth: MESSAGE_DEPTH }

/** Its fields are not checked: who may write to NATS is trusted, and a handler that throws at one stops nothing else. */
const isMessage = (value: unknown): value is Message => isFields(value) && typeof value.kind === 'string'

/** The message of these bytes; what is binary in it is a view of them. Pure. Throws where they are none. */
export const readMessage = (bytes: Uint8Array): Message => {
  scan(bytes, LIMITS)
  const value = readValue(bytes)
  if (isMessage(value)) return value
  throw new TypeError('not a message: it has no kind')
}
