import { byteAt, uint16At, uint32At } from './scan.ts'

const NOTHING = new Uint8Array(0)
let bytes: Uint8Array = NOTHING
let at = 0

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const scratch = new DataView(new ArrayBuffer(8))

/** Short ASCII texts that were read lately, by their hash: keys, types and ids come again and again. */
const TEXTS_KEPT = 1024
const TEXT_MOST = 40
const texts: string[] = Array.from({ length: TEXTS_KEPT }, () => '')

/** The value of bytes that `scan` has accepted, and of no others. Pure. Binary values are views of them. */
export function readValue(of: Uint8Array): unknown {
  bytes = of
  at = 0
  const value = read()
  bytes = NOTHING
  return value
}

function read(): unknown {
  const type = byteAt(bytes, at++)
  if (type < 0x80) return type
  if (type < 0x90) return readFields(type & 0x0f)
  if (type < 0xa0) return readList(type & 0x0f)
  if (type < 0xc0) return readText(type & 0x1f)
  if (type >= 0xe0) return type - 0x100
  switch (type) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xca:
    case 0xcb:
      return readFloat(4 << (type - 0xca))
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return readNatural(1 << (type - 0xcc))
    case 0xd0:
      return (readNatural(1) << 24) >> 24
    case 0xd1:
      return (readNatural(2) << 16) >> 16
    case 0xd2:
      return readNatural(4) | 0
    case 0xd3:
      return (readNatural(4) | 0) * 2 ** 32 + readNatural(4)
    case 0xd9:
    case 0xda:
    case 0xdb:
      return readText(readNatural(1 << (type - 0xd9)))
    case 0xdc:
    case 0xdd:
      return readList(readNatural(2 << (type - 0xdc)))
    case 0xde:
    case 0xdf:
      return readFields(readNatural(2 << (type - 0xde)))
    default:
      return readBinary(readNatural(1 << (type - 0xc4)))
  }
}

function readNatural(width: number): number {
  const start = at
  at += width
  if (width === 1) return byteAt(bytes, start)
  if (width === 2) return uint16At(bytes, start)
  const high = uint32At(bytes, start)
  return width === 4 ? high : high * 2 ** 32 + uint32At(bytes, start + 4)
}

function readFloat(width: number): number {
  for (let i = 0; i < width; i++) scratch.setUint8(i, byteAt(bytes, at++))
  return width === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0)
}

function readBinary(length: number): Uint8Array {
  at += length
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at - length, length)
}

function readList(length: number): unknown[] {
  const list: unknown[] = []
  for (let i = 0; i < length; i++) list.push(read())
  return list
}

function readFields(count: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (let i = 0; i < count; i++) {
    const key = String(read())
    fields[key] = read()
  }
  return fields
}

function readText(length: number): string {
  at += length
  return textAt(bytes, at - length, at)
}

/** The text of bytes that are UTF-8, from `start` to `end`. Pure. */
export function textAt(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start
  if (length > TEXT_MOST) return utf8.decode(bytes.subarray(start, end))
  let hash = length
  for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + byteAt(bytes, i)
  const place = (hash ^ (hash >>> 10)) & (TEXTS_KEPT - 1)
  const known = texts[place] ?? ''
  if (isAt(bytes, start, known, length)) return known
  const text = utf8.decode(bytes.subarray(start, end))
  if (text.length === length) texts[place] = text
  return text
}

/** Whether an ASCII text is these bytes. */
function isAt(bytes: Uint8Array, start: number, text: string, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false
  return true
}
