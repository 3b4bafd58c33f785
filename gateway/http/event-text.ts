import { decode, encode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { stringifyFrame } from '../../protocol/json.ts'

/** What keeps proxies from taking a quiet stream for a dead one, and is no event. */
export const COMMENT = ':\n\n'

const texts = new WeakMap<Uint8Array, string>()

/** Returns a frame as a server-sent event, whose id is the seq of a STATE or PATCH. Made once for the same array, however many get it. */
export const eventText = (bytes: Uint8Array): string => {
  const known = texts.get(bytes)
  if (known !== undefined) return known
  const frame = decode(bytes, SERVER_LIMITS)
  const text = `event: frame\n${idLine(frame)}data: ${stringifyFrame(frame)}\n\n`
  texts.set(bytes, text)
  return text
}

const idLine = (frame: unknown): string => {
  if (!Array.isArray(frame)) return ''
  if (frame[0] === OP.state) return `id: ${frame[2]}\n`
  return frame[0] === OP.patch ? `id: ${frame[3]}\n` : ''
}

/** Returns the BYE of a stream that ends because a newer connection took its place. */
export const takenOver = (): Uint8Array => encode([OP.bye, 'taken over by a newer connection', { resume: false }])
