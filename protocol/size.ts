import { type Fields, isBinary, isFields } from './plain.ts'

/**
 * How many bytes `encode` would make of a plain value, without encoding it. Pure. Stops counting once it is above `budget`
 * and then returns some number above it.
 */
export function encodedSize(value: unknown, budget = Number.POSITIVE_INFINITY): number {
  if (value === null || value === undefined || typeof value === 'boolean') return 1
  if (typeof value === 'string') return stringSize(value)
  if (typeof value === 'number') return numberSize(value)
  if (Array.isArray(value)) {
    let size = headerSize(value.length)
    for (let i = 0; i < value.length && size <= budget; i++) size += encodedSize(value[i], budget - size)
    return size
  }
  if (isFields(value)) return fieldsSize(value, budget)
  if (!isBinary(value)) throw new TypeError(`cannot encode a ${typeof value}`)
  const length = value.byteLength
  return length + (length < 256 ? 2 : length < 65_536 ? 3 : 5)
}

function fieldsSize(fields: Fields, budget: number): number {
  let size = 0
  let pairs = 0
  for (const key of Object.keys(fields)) {
    const field = fields[key]
    if (field === undefined) continue
    pairs++
    size += stringSize(key)
    size += encodedSize(field, budget - size)
    if (size > budget) break
  }
  return size + headerSize(pairs)
}

/** Bytes of the header of an array or map of `n`. */
export const headerSize = (n: number): number => (n < 16 ? 1 : n < 65_536 ? 3 : 5)

function numberSize(value: number): number {
  if (!Number.isSafeInteger(value)) return 9
  if (value >= 0) return value < 128 ? 1 : value < 256 ? 2 : value < 65_536 ? 3 : value < 2 ** 32 ? 5 : 9
  return value >= -32 ? 1 : value >= -128 ? 2 : value >= -32_768 ? 3 : value >= -(2 ** 31) ? 5 : 9
}

function stringSize(text: string): number {
  const length = utf8Size(text)
  return length + (length < 32 ? 1 : length < 256 ? 2 : length < 65_536 ? 3 : 5)
}

/** Bytes of a well-formed text as UTF-8. Pure. */
export function utf8Size(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // Each half of a surrogate pair stands for two of its four bytes.
    if (unit >= 0x80) length += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2
  }
  return length
}
