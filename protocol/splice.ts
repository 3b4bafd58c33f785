/** The msgpack header of an array of `n` values, to be followed by their bytes. Pure; many get the same bytes: not to be written to. */
export const arrayHeader = (n: number): Uint8Array => header(n, 0x90, 0xdc)

/** The msgpack header of a map of `n` pairs, to be followed by key, value, key, value. As `arrayHeader`. */
export const mapHeader = (n: number): Uint8Array => header(n, 0x80, 0xde)

/** Those of one byte, which are nearly all, from 0x80 on. */
const SHORT = Array.from({ length: 32 }, (_, i) => Uint8Array.of(0x80 | i))

function header(n: number, short: number, long: number): Uint8Array {
  const known = n < 16 ? SHORT[(short | n) - 0x80] : undefined
  if (known !== undefined) return known
  if (n < 65_536) return Uint8Array.of(long, n >>> 8, n)
  return Uint8Array.of(long + 1, n >>> 24, n >>> 16, n >>> 8, n)
}

/** These bytes one after another, in an array of their own. Pure. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
