import { MalformedFrame } from './errors.ts'
import { FRAME_LIMITS } from './frames.ts'
import { byteAt, type Limits, scan, uint16At, uint32At } from './scan.ts'

/**
 * The frames that stand back to back in `bytes`, each a view of them and within the limits of form. Pure.
 * Throws MalformedFrame where one is not, or the last one ends too early.
 */
export function splitFrames(bytes: Uint8Array, limits: Limits = FRAME_LIMITS): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = endOfValue(bytes, at)
    const frame = bytes.subarray(at, end)
    scan(frame, limits)
    frames.push(frame)
    at = end
  }
  return frames
}

/** Where the value ends that begins at `at`; past the end of `bytes` where it is cut off, anywhere after an invalid type. */
function endOfValue(bytes: Uint8Array, at: number): number {
  let lack = 1
  while (lack > 0 && at < bytes.length) {
    const type = byteAt(bytes, at++)
    lack--
    if (type < 0x80 || type >= 0xe0) continue
    if (type < 0x90) lack += 2 * (type & 0x0f)
    else if (type < 0xa0) lack += type & 0x0f
    else if (type < 0xc0) at += type & 0x1f
    else if (type >= 0xdc) {
      const width = (type & 1) === 0 ? 2 : 4
      const count = lengthAt(bytes, at, width)
      at += width
      lack += type < 0xde ? count : 2 * count
    } else at = endOfScalar(bytes, at, type)
  }
  // A view would end with `bytes` and hide that the value does not.
  if (lack > 0 || at > bytes.length) throw new MalformedFrame('ends in the middle of a value')
  return at
}

/** Where the value of this type (0xc0–0xdb) ends whose body begins at `at`. */
function endOfScalar(bytes: Uint8Array, at: number, type: number): number {
  if (type <= 0xc3) return at
  if (type <= 0xc9) {
    const isExtension = type >= 0xc7
    const width = 1 << (type - (isExtension ? 0xc7 : 0xc4))
    return at + width + lengthAt(bytes, at, width) + (isExtension ? 1 : 0)
  }
  if (type <= 0xcb) return at + (4 << (type - 0xca))
  if (type <= 0xd3) return at + (1 << ((type - 0xcc) & 3))
  if (type <= 0xd8) return at + 1 + (1 << (type - 0xd4))
  const width = 1 << (type - 0xd9)
  return at + width + lengthAt(bytes, at, width)
}

const lengthAt = (bytes: Uint8Array, at: number, width: number): number =>
  width === 1 ? byteAt(bytes, at) : width === 2 ? uint16At(bytes, at) : uint32At(bytes, at)
