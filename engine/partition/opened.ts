import { decode, type Limits } from '../../protocol/codec.ts'
import { MalformedFrame, Refusal } from '../../protocol/errors.ts'
import { type ClientFrame, OP, type Ref } from '../../protocol/frames.ts'
import { parseClientFrame } from '../../protocol/parse.ts'

/** A client's frame, or why it is none. */
export type OpenedFrame = { readonly ref: Ref | null } & (
  | { readonly frame: ClientFrame; readonly refusal: null }
  | { readonly frame: null; readonly refusal: Refusal }
)

/** The frame in these bytes, or why there is none. Pure. Gateways have looked at its form and head already. */
export const openFrame = (bytes: Uint8Array): OpenedFrame => {
  let value: unknown
  try {
    value = decode(bytes, OPEN_LIMITS)
    const frame = parseClientFrame(value)
    return { frame, ref: refOf(value), refusal: null }
  } catch (error) {
    if (error instanceof Refusal) return { frame: null, ref: refOf(value), refusal: error }
    if (!(error instanceof MalformedFrame)) throw error
    return { frame: null, ref: null, refusal: new Refusal('bad_frame', error.message) }
  }
}

/** Gateways have looked at the length. */
const OPEN_LIMITS: Limits = { bytes: Number.POSITIVE_INFINITY, depth: 32 }

/** The ref of a frame that has one, where it can be read. */
const refOf = (frame: unknown): Ref | null => {
  if (!Array.isArray(frame) || frame[0] === OP.cast || frame[0] === OP.input) return null
  const ref: unknown = frame[1]
  return typeof ref === 'number' && Number.isSafeInteger(ref) && ref > 0 ? ref : null
}

/** What may be logged with a part that is sealed under its sender's key. */
export const isSealed = ({ frame }: OpenedFrame): boolean =>
  frame?.[0] === OP.move || (frame?.[0] === OP.join && frame[3]?.role !== 'spectator')

export const isForRoom = ({ frame }: OpenedFrame): boolean => frame !== null && IN_A_ROOM.includes(frame[0])
const IN_A_ROOM: readonly number[] = [OP.join, OP.leave, OP.move, OP.call, OP.cast]

/** The one request whose answer waits for another room. */
export const isAgain = (frame: ClientFrame | null): boolean => frame?.[0] === OP.call && frame[3] === 'again'

/** CAST and INPUT get no answer but ERR `forbidden`. */
export const isSilent = ([op]: ClientFrame): boolean => op === OP.cast || op === OP.input
