import { Decoder } from '@msgpack/msgpack'
import { MalformedFrame } from './errors.ts'
import { FRAME_LIMITS } from './frames.ts'
import { byteAt, type Limits, markedStrings, scan, uint16At, uint32At } from './scan.ts'

export { encode } from './encode.ts'
export { type Head, readHead } from './head.ts'
export { type Limits, scan } from './scan.ts'
export { arrayHeader, concat, mapHeader } from './splice.ts'

/** Limits of form for what a server sends: documents may be larger than what clients may send. */
export const SERVER_LIMITS: Limits = { bytes: 8_388_608, depth: FRAME_LIMITS.depth }

const MARK_EXTENSION = -17
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const decoder = new Decoder({
  maxStrLength: SERVER_LIMITS.bytes,
  maxBinLength: SERVER_LIMITS.bytes,
  maxArrayLength: SERVER_LIMITS.bytes,
  maxMapLength: SERVER_LIMITS.bytes,
  maxExtLength: SERVER_LIMITS.bytes,
  extensionCodec: {
    tryToEncode: () => null,
    decode(data, type) {
      if (type !== MARK_EXTENSION) throw new MalformedFrame('an extension type')
      return `\uFEFF${utf8.decode(data.subarray(2))}`
    },
  },
})

/**
 * The value that `bytes` hold. Pure. Throws MalformedFrame where they are not exactly one value within the limits of form.
 * Binary values are views of `bytes`: copy bytes that will be written to before, and binary that will be kept after.
 */
export function decode(bytes: Uint8Array, limits: Limits = FRAME_LIMITS): unknown {
  scan(bytes, limits)
  const plain = bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  try {
    return decoder.decode(markedStrings.length === 0 ? plain : withMarksAsExtensions(plain))
  } catch (error) {
    throw error instanceof MalformedFrame ? error : new MalformedFrame(String(error))
  }
}

/**
 * The decoder reads long strings with a TextDecoder that drops a leading byte order mark. So such a string is turned, at the
 * same length, into an extension: the mark's first byte (0xef) becomes the extension's type, -17, and the rest its data.
 */
function withMarksAsExtensions(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  for (const at of markedStrings) {
    const type = byteAt(copy, at)
    copy[at] = type - 0xd9 + 0xc7
    if (type === 0xd9) view.setUint8(at + 1, byteAt(copy, at + 1) - 1)
    else if (type === 0xda) view.setUint16(at + 1, uint16At(copy, at + 1) - 1)
    else view.setUint32(at + 1, uint32At(copy, at + 1) - 1)
  }
  return copy
}
