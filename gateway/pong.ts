import { decode, encode, SERVER_LIMITS } from '../protocol/codec.ts'
import { OP } from '../protocol/frames.ts'

const ARRAY_OF_2 = 0x92
const ARRAY_OF_3 = 0x93
const UINT64 = 0xcf

/**
 * The PONG to a PING that `scan` has accepted, or null where its `t` is no number. Pure.
 * Where the PING is `[8, t]` in its shortest form, as clients send it, the bytes of `t` go back unread.
 */
export const pongTo = (ping: Uint8Array, now: number): Uint8Array | null => {
  const [head, op, type = 0] = ping
  if (head !== ARRAY_OF_2 || op !== OP.ping) return readAndAnswer(ping, now)
  if (!isNumber(type)) return null
  // From Node's pool: sending a small array of its own would first move it out of V8's heap, which costs more than all the rest.
  const pong = Buffer.allocUnsafe(ping.length + 9)
  pong.set(ping)
  pong[0] = ARRAY_OF_3
  pong[1] = OP.pong
  let at = ping.length
  pong[at++] = UINT64
  for (let shift = 56; shift >= 32; shift -= 8) pong[at++] = (now / 2 ** 32) >>> (shift - 32)
  for (let shift = 24; shift >= 0; shift -= 8) pong[at++] = now >>> shift
  return pong
}

/** Whether a value of this msgpack type is a number: a small integer, a float, or a longer integer. */
const isNumber = (type: number): boolean => type < 0x80 || type >= 0xe0 || (type >= 0xca && type <= 0xd3)

const readAndAnswer = (ping: Uint8Array, now: number): Uint8Array | null => {
  const frame = decode(ping, SERVER_LIMITS)
  const t: unknown = Array.isArray(frame) ? frame[1] : undefined
  return typeof t === 'number' ? encode([OP.pong, t, now]) : null
}
