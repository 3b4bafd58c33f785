import { splitFrames } from '../../protocol/batch.ts'
import { decode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP, type Seq, type ServerFrame } from '../../protocol/frames.ts'
import { parseServerFrame } from '../../protocol/parse.ts'

/** The frames that an answer holds back to back; those of unknown ops are left out. Pure. Throws MalformedFrame. */
export const framesIn = (body: Uint8Array): ServerFrame[] =>
  splitFrames(body, SERVER_LIMITS)
    .map((bytes) => parseServerFrame(decode(bytes, SERVER_LIMITS)))
    .filter((frame) => frame !== null)

/**
 * The seq up to which a poll's answer brings documents and EMITs; 0 where it only says where the room is, and repeats a NOTE. Infinity
 * where it cannot be read. Pure.
 */
export const newsIn = (body: Uint8Array): Seq => {
  try {
    return Math.max(0, ...framesIn(body).map(newsOf))
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

const newsOf = (frame: ServerFrame): Seq => {
  if (frame[0] === OP.state || frame[0] === OP.emit) return frame[2]
  return frame[0] === OP.patch && frame[4].length > 0 ? frame[3] : 0
}
