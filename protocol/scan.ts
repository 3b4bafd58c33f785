import { MalformedFrame } from './errors.ts'
import { FRAME_LIMITS } from './frames.ts'

/** Limits of form: the length of the whole value in bytes, and how deep its arrays and maps may nest (the outermost is 1). */
export interface Limits {
  readonly bytes: number
  readonly depth: number
}

const DEEPEST = 256
/** Per open container: how many values it still lacks (a map counts keys and values), and whether it is a map. */
const lacks = new Int32Array(DEEPEST + 1)
const maps = new Uint8Array(DEEPEST + 1)
const PROTO = Uint8Array.from([...'__proto__'], (char) => char.charCodeAt(0))

export const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0
export const uint16At = (bytes: Uint8Array, at: number): number => (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1)
export const uint32At = (bytes: Uint8Array, at: number): number =>
  uint16At(bytes, at) * 65_536 + uint16At(bytes, at + 2)

/**
 * Returns when `bytes` are exactly one msgpack value within the limits of form; throws MalformedFrame with the reason
 * otherwise. One pass, allocates nothing. Afterwards any decoder of msgpack takes the value without a limit of its own.
 */
export function scan(bytes: Uint8Array, limits: Limits = FRAME_LIMITS): void {
  const end = bytes.length
  if (end > limits.bytes) throw new MalformedFrame(`${end} bytes, ${limits.bytes} are allowed`)
  const deepest = Math.min(limits.depth, DEEPEST)
  let at = 0
  let depth = 0
  let lack = 1
  let map = 0
  for (;;) {
    while (lack === 0) {
      if (depth === 0) {
        if (at < end) throw new MalformedFrame(`${end - at} bytes left over`)
        return
      }
      depth--
      lack = lacks[depth] ?? 0
      map = maps[depth] ?? 0
    }
    if (at >= end) throw truncated()
    const type = byteAt(bytes, at++)
    lack--
    const isKey = map === 1 && (lack & 1) === 1

    let length: number
    if (type < 0x80 || type >= 0xe0) {
      if (isKey) throw keyType()
      continue
    }
    if (type >= 0xa0 && type < 0xc0) {
      length = type & 0x1f
    } else if (type >= 0xd9 && type <= 0xdb) {
      const width = 1 << (type - 0xd9)
      if (end - at < width) throw truncated()
      length = lengthAt(bytes, at, width)
      at += width
    } else {
      if (isKey) throw keyType()
      if (type < 0xa0 || type >= 0xdc) {
        const isMap = type < 0x90 || type >= 0xde ? 1 : 0
        let count: number
        if (type < 0xa0) count = type & 0x0f
        else {
          const width = (type & 1) === 0 ? 2 : 4
          if (end - at < width) throw truncated()
          count = lengthAt(bytes, at, width)
          at += width
        }
        const values = isMap === 1 ? count * 2 : count
        if (values > end - at) throw truncated()
        if (depth >= deepest) throw new MalformedFrame(`nested deeper than ${deepest}`)
        lacks[depth] = lack
        maps[depth] = map
        depth++
        lack = values
        map = isMap
        continue
      }
      at = skipScalar(bytes, at, end, type)
      continue
    }

    if (length > end - at) throw truncated()
    if (!isUtf8(bytes, at, at + length)) throw new MalformedFrame('a string is not valid UTF-8')
    if (isKey && length === PROTO.length && isProto(bytes, at)) throw new MalformedFrame('the key __proto__')
    at += length
  }
}

const truncated = (): MalformedFrame => new MalformedFrame('ends in the middle of a value')
const keyType = (): MalformedFrame => new MalformedFrame('a map key is not a string')

const lengthAt = (bytes: Uint8Array, at: number, width: number): number =>
  width === 1 ? byteAt(bytes, at) : width === 2 ? uint16At(bytes, at) : uint32At(bytes, at)

/** The position after the scalar or binary of this type (0xc0–0xd8) whose body begins at `at`. */
function skipScalar(bytes: Uint8Array, at: number, end: number, type: number): number {
  if (type === 0xc0 || type === 0xc2 || type === 0xc3) return at
  if (type === 0xc1) throw new MalformedFrame('the reserved type 0xc1')
  if (type >= 0xc7 && type <= 0xc9) throw extension()
  if (type >= 0xd4) throw extension()
  const width = type <= 0xc6 ? 1 << (type - 0xc4) : type <= 0xcb ? 4 << (type - 0xca) : 1 << ((type - 0xcc) & 3)
  if (end - at < width) throw truncated()
  const after = at + width
  if (type <= 0xc6) {
    const length = lengthAt(bytes, at, width)
    if (length > end - after) throw truncated()
    return after + length
  }
  if (type <= 0xcb) {
    const exponent = type === 0xca ? 0x80 : 0xf0
    if ((byteAt(bytes, at) & 0x7f) === 0x7f && (byteAt(bytes, at + 1) & exponent) === exponent) {
      throw new MalformedFrame('a number is not finite')
    }
  } else if (width === 8) {
    const high = type === 0xcf ? uint32At(bytes, at) : uint32At(bytes, at) | 0
    if (Math.abs(high * 2 ** 32 + uint32At(bytes, at + 4)) > Number.MAX_SAFE_INTEGER) {
      throw new MalformedFrame('an integer has more than 53 bits')
    }
  }
  return after
}

const extension = (): MalformedFrame => new MalformedFrame('an extension type')

function isProto(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < PROTO.length; i++) if (bytes[at + i] !== PROTO[i]) return false
  return true
}

/** Whether bytes from `at` to `end` are UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
function isUtf8(bytes: Uint8Array, at: number, end: number): boolean {
  while (at < end) {
    const lead = byteAt(bytes, at++)
    if (lead < 0x80) continue
    if (lead < 0xc2 || lead > 0xf4) return false
    const more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    if (end - at < more) return false
    const second = byteAt(bytes, at)
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (second < least || second > most) return false
    for (let i = 1; i < more; i++) if ((byteAt(bytes, at + i) & 0xc0) !== 0x80) return false
    at += more
  }
  return true
}
