import { readValue } from './decode.ts'
import { FRAME_LIMITS } from './frames.ts'
import { type Limits, scan } from './scan.ts'

export { encode } from './encode.ts'
export { type Head, readHead } from './head.ts'
export { type Limits, scan } from './scan.ts'
export { arrayHeader, concat, mapHeader } from './splice.ts'

/** Limits of form for what a server sends: documents may be larger than what clients may send. */
export const SERVER_LIMITS: Limits = { bytes: 8_388_608, depth: FRAME_LIMITS.depth }

/**
 * The value that `bytes` hold. Pure. Throws MalformedFrame where they are not exactly one value within the limits of form.
 * Binary values are views of `bytes`: copy bytes that will be written to before, and binary that will be kept after.
 */
export function decode(bytes: Uint8Array, limits: Limits = FRAME_LIMITS): unknown {
  scan(bytes, limits)
  return readValue(bytes)
}
