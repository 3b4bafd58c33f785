import { type Fields, isFields } from '../../protocol/plain.ts'

/**
 * A 32-bit digest (FNV-1a) of plain data, the same for equal values whatever the order of their keys or the transport
 * that carried them. Pure. Tells a retry from a ref that was reused; not a defence against a forger, who only
 * hurts his own requests.
 */
export const digest = (value: unknown): number => mix(0x811c9dc5, value) >>> 0

const byte = (hash: number, b: number): number => Math.imul(hash ^ b, 0x01000193)

const text = (hash: number, s: string): number => {
  let h = byte(hash, s.length)
  for (let i = 0; i < s.length; i++) h = byte(h, s.charCodeAt(i))
  return h
}

const scratch = new DataView(new ArrayBuffer(8))

const mix = (hash: number, value: unknown): number => {
  if (value === null || value === undefined) return byte(hash, 1)
  if (typeof value === 'boolean') return byte(hash, value ? 2 : 3)
  if (typeof value === 'string') return text(byte(hash, 4), value)
  if (typeof value === 'number') {
    scratch.setFloat64(0, value === 0 ? 0 : value)
    return byte(byte(byte(hash, 5), scratch.getUint32(0)), scratch.getUint32(4))
  }
  if (value instanceof Uint8Array) return value.reduce(byte, byte(byte(hash, 6), value.length))
  if (Array.isArray(value)) {
    let h = byte(byte(hash, 7), value.length)
    for (let i = 0; i < value.length; i++) h = mix(h, value[i])
    return h
  }
  return isFields(value) ? mixFields(hash, value) : byte(hash, 8)
}

const mixFields = (hash: number, fields: Fields): number => {
  let h = byte(hash, 8)
  for (const key of inOrder(Object.keys(fields))) if (fields[key] !== undefined) h = mix(text(h, key), fields[key])
  return h
}

/** Most are in order as they are written, and to sort two keys takes 800 bytes. */
const inOrder = (keys: string[]): string[] =>
  keys.every((key, i) => i === 0 || (keys[i - 1] ?? '') < key) ? keys : keys.sort()
