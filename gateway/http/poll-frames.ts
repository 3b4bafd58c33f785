import { decode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP, type RoomId, type Seq } from '../../protocol/frames.ts'

/**
 * Returns the frames of a poll's 200, or null where there is nothing to say: one STATE or PATCH, whose seq stands for the EMITs too, and
 * what came with it. Pure. What comes after a second document is left for the next poll.
 * `least`: the seq that a document is not below; without one nothing falls below `since`.
 */
export const pollFrames = (
  frames: readonly Uint8Array[],
  { room, since, least }: { room: RoomId; since: Seq; least: Seq },
): unknown[] | null => {
  let document: unknown[] | null = null
  let head = least
  const rest: unknown[] = []
  for (const bytes of frames) {
    const frame = decode(bytes, SERVER_LIMITS)
    if (!Array.isArray(frame)) continue
    const op: unknown = frame[0]
    if (op === OP.state || op === OP.patch) {
      if (document) break
      document = frame
      head = Math.max(head, op === OP.state ? frame[2] : frame[3])
    } else if (op === OP.emit) {
      rest.push(frame)
      head = Math.max(head, frame[2])
    } else if (op === OP.castOut || op === OP.note) rest.push(frame)
  }
  if (!document && (rest.length === 0 || since === 0)) return null
  const first =
    document?.[0] === OP.state
      ? [OP.state, room, head, document[3]]
      : [OP.patch, room, since, document ? head : Math.max(head, since), document ? document[4] : []]
  return [first, ...rest]
}
