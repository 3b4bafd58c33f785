import { crc32 } from './checksum.ts'
import { uint32At } from './scan.ts'

/** Stored bytes that are not what was written, or that this version cannot read. */
export class CorruptRecord extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CorruptRecord'
  }
}

// Two bytes of magic, one of format, four of CRC-32 (big-endian) over the format and the body.
const FORMAT_AT = 2
const CHECKSUM_AT = 3
const BODY_AT = 7

/**
 * The body in an envelope that shows later damage: `magic` (two ASCII characters) says what it is, `format` (0–255) how the body
 * is written. Pure.
 */
export function wrap(magic: string, body: Uint8Array, format = 1): Uint8Array {
  const bytes = new Uint8Array(BODY_AT + body.length)
  bytes[0] = magic.charCodeAt(0)
  bytes[1] = magic.charCodeAt(1)
  bytes[FORMAT_AT] = format
  bytes.set(body, BODY_AT)
  const sum = checksum(format, body)
  for (let i = 0; i < 4; i++) bytes[CHECKSUM_AT + i] = sum >>> (24 - 8 * i)
  return bytes
}

/** The format and a view of the body of bytes that `wrap` made. Pure. Throws CorruptRecord saying what is wrong. */
export function unwrap(magic: string, bytes: Uint8Array): { format: number; body: Uint8Array } {
  if (bytes.length < BODY_AT) throw new CorruptRecord(`${bytes.length} bytes, too short`)
  const found = String.fromCharCode(bytes[0] ?? 0, bytes[1] ?? 0)
  if (found !== magic)
    throw new CorruptRecord(`begins with ${JSON.stringify(found)}, not with ${JSON.stringify(magic)}`)
  const format = bytes[FORMAT_AT] ?? 0
  const body = bytes.subarray(BODY_AT)
  if (checksum(format, body) !== checksumOf(bytes)) throw new CorruptRecord('the checksum does not match')
  return { format, body }
}

const formatByte = new Uint8Array(1)
const checksum = (format: number, body: Uint8Array): number => {
  formatByte[0] = format
  return crc32(body, crc32(formatByte))
}

/** The checksum that wrapped bytes carry, unverified. Pure. */
export const checksumOf = (bytes: Uint8Array): number => uint32At(bytes, CHECKSUM_AT)
