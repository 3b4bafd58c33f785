import { splitFrames } from '../../protocol/batch.ts'
import { decode, SERVER_LIMITS } from '../../protocol/codec.ts'
import type { ServerFrame } from '../../protocol/frames.ts'
import { parseServerFrame } from '../../protocol/parse.ts'

/** The frames that an answer holds back to back; those of unknown ops are left out. Pure. Throws MalformedFrame. */
export const framesIn = (body: Uint8Array): ServerFrame[] =>
  splitFrames(body, SERVER_LIMITS)
    .map((bytes) => parseServerFrame(decode(bytes, SERVER_LIMITS)))
    .filter((frame) => frame !== null)
