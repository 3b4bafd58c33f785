import { FRAME_LIMITS } from './frames.ts'
import { assertPlain, isBinary, isPlainObject, isWellFormed } from './plain.ts'
import { utf8Size } from './size.ts'

/** Where values are written one after another; each is copied out of it. A getter that encodes writes behind what is there. */
let bytes = new Uint8Array(16_384)
let view = new DataView(bytes.buffer)
let end = 0

/**
 * The msgpack bytes of a value, safe to keep. Pure. Undefined is nil, and left out of objects; integral numbers of 53 bits
 * become integers. Throws TypeError naming the path of what frames cannot carry: see `assertPlain`.
 * `depth`: how deep the value may nest (for a part of a frame: the frame's limit less what surrounds it).
 */
export function encode(value: unknown, depth: number = FRAME_LIMITS.depth): Uint8Array {
  const start = end
  try {
    if (write(value, depth)) return bytes.slice(start, end)
  } finally {
    end = start
  }
  assertPlain(value, depth)
  throw new TypeError('cannot encode the value: it is another each time it is read')
}

/** False where the value is not plain: `assertPlain` says what and where. One walk checks and writes. */
function write(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return writeText(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return writeByte(value ? 0xc3 : 0xc2)
    case 'undefined':
      return writeByte(0xc0)
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return writeByte(0xc0)
  if (Array.isArray(value)) return depth > 0 && writeList(value, depth - 1)
  if (isBinary(value)) return writeBinary(value)
  return depth > 0 && isPlainObject(value) && writeFields(value, depth - 1)
}

function reserve(more: number): void {
  if (end + more <= bytes.length) return
  const larger = new Uint8Array(2 * (end + more))
  larger.set(bytes.subarray(0, end))
  bytes = larger
  view = new DataView(larger.buffer)
}

function writeByte(byte: number): true {
  reserve(1)
  bytes[end++] = byte
  return true
}

/** The header of text or binary: a type with the length in its low bits where that is below `short`, else `long` or one of the two types after it. */
function writeLength(length: number, short: number, shortType: number, long: number): void {
  reserve(5)
  if (length < short) bytes[end++] = shortType | length
  else if (length < 256) {
    bytes[end++] = long
    bytes[end++] = length
  } else writeCount(length, long + 1)
}

/** A length of two bytes after `type`, or one of four after the type after it. */
function writeCount(count: number, type: number): void {
  if (count < 65_536) {
    bytes[end++] = type
    view.setUint16(end, count)
    end += 2
  } else {
    bytes[end++] = type + 1
    view.setUint32(end, count)
    end += 4
  }
}

function writeText(text: string): boolean {
  const { length } = text
  const start = end
  writeLength(length, 32, 0xa0, 0xd9)
  reserve(length)
  let at = end
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) {
      end = start
      return writeWideText(text)
    }
    bytes[at++] = unit
  }
  end = at
  return true
}

function writeWideText(text: string): boolean {
  if (!isWellFormed(text)) return false
  const size = utf8Size(text)
  writeLength(size, 32, 0xa0, 0xd9)
  reserve(size)
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i)
    if (code < 0x80) {
      bytes[end++] = code
      continue
    }
    if (code < 0x800) bytes[end++] = 0xc0 | (code >> 6)
    else {
      if (code >= 0xd800 && code < 0xe000) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff)
        bytes[end++] = 0xf0 | (code >> 18)
        bytes[end++] = 0x80 | ((code >> 12) & 0x3f)
      } else bytes[end++] = 0xe0 | (code >> 12)
      bytes[end++] = 0x80 | ((code >> 6) & 0x3f)
    }
    bytes[end++] = 0x80 | (code & 0x3f)
  }
  return true
}

function writeNumber(value: number): boolean {
  reserve(9)
  if (Number.isSafeInteger(value)) {
    if (value >= 0) writeNatural(value)
    else writeNegative(value)
    return true
  }
  bytes[end++] = 0xcb
  view.setFloat64(end, value)
  end += 8
  return Number.isFinite(value)
}

function writeNatural(value: number): void {
  if (value < 0x80) bytes[end++] = value
  else if (value < 0x100) {
    bytes[end++] = 0xcc
    bytes[end++] = value
  } else if (value < 2 ** 32) writeCount(value, 0xcd)
  else writeWide(0xcf, value)
}

function writeNegative(value: number): void {
  if (value >= -0x20) bytes[end++] = value
  else if (value >= -0x80) {
    bytes[end++] = 0xd0
    bytes[end++] = value
  } else if (value >= -0x8000) {
    bytes[end++] = 0xd1
    view.setInt16(end, value)
    end += 2
  } else if (value >= -(2 ** 31)) {
    bytes[end++] = 0xd2
    view.setInt32(end, value)
    end += 4
  } else writeWide(0xd3, value)
}

/** In two halves, each of which DataView takes modulo 2³². */
function writeWide(type: number, value: number): void {
  bytes[end++] = type
  view.setUint32(end, Math.floor(value / 2 ** 32))
  view.setUint32(end + 4, value)
  end += 8
}

function writeBinary(value: Uint8Array): true {
  writeLength(value.byteLength, 0, 0, 0xc4)
  reserve(value.byteLength)
  bytes.set(value, end)
  end += value.byteLength
  return true
}

function writeList(list: readonly unknown[], depth: number): boolean {
  reserve(5)
  if (list.length < 16) bytes[end++] = 0x90 | list.length
  else writeCount(list.length, 0xdc)
  for (let i = 0; i < list.length; i++) if (!write(list[i], depth)) return false
  return true
}

function writeFields(fields: Readonly<Record<string, unknown>>, depth: number): boolean {
  // A plain object has no other keys than its own: no list of them is made.
  let pairs = 0
  for (const key in fields) if (fields[key] !== undefined) pairs += 1
  reserve(5)
  if (pairs < 16) bytes[end++] = 0x80 | pairs
  else writeCount(pairs, 0xde)
  for (const key in fields) {
    const field = fields[key]
    if (field === undefined) continue
    if (key === '__proto__' || !writeText(key) || !write(field, depth)) return false
  }
  return true
}
