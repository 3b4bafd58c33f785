import { createCipheriv, createDecipheriv } from 'node:crypto'
import { decode, encode } from '@msgpack/msgpack'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
export const NONCE_BYTES = 12
const TAG_BYTES = 16

/** What was sealed cannot be opened: another key or context, or changed bytes. */
export class SealBroken extends Error {
  constructor(context: string, reason: string, options?: ErrorOptions) {
    super(`sealed value of ${context}: ${reason}`, options)
    this.name = 'SealBroken'
  }
}

const checkSize = (what: string, bytes: Uint8Array, size: number) => {
  if (bytes.byteLength !== size)
    throw new RangeError(`the ${what} of a seal has ${size} bytes, not ${bytes.byteLength}`)
}

/** Authenticated with the value: a sealed value fits one player in one room, and cannot be moved to another. Pure. */
export const sealContext = (room: string, player: string): string => `${room}/${player}`

/**
 * Returns nonce, AES-256-GCM of the value as msgpack, and tag, in this order. Pure; never use a nonce twice with one key.
 * Throws RangeError for a key that has not 32 bytes or a nonce that has not 12, TypeError for what msgpack cannot hold.
 */
export const seal = (key: Uint8Array, plain: unknown, nonce: Uint8Array, context: string): Uint8Array => {
  checkSize('key', key, KEY_BYTES)
  checkSize('nonce', nonce, NONCE_BYTES)
  if (plain === undefined || typeof plain === 'function') throw new TypeError(`a ${typeof plain} cannot be sealed`)
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(context))
  return new Uint8Array(Buffer.concat([nonce, cipher.update(encode(plain)), cipher.final(), cipher.getAuthTag()]))
}

/** Returns the value that was sealed. Pure. Throws SealBroken where key, context or a single bit is not as it was. */
export const unseal = (key: Uint8Array, sealed: Uint8Array, context: string): unknown => {
  checkSize('key', key, KEY_BYTES)
  if (sealed.byteLength <= NONCE_BYTES + TAG_BYTES) throw new SealBroken(context, `only ${sealed.byteLength} bytes`)
  const nonce = sealed.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    const plain = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
    // Binary in it comes as a view of what is decoded: of a Buffer, that would be Buffers.
    return decode(new Uint8Array(plain))
  } catch (cause) {
    throw new SealBroken(context, 'it was changed, or sealed under another key or for another place', { cause })
  }
}
