import { OP, type RoomId, type Seq } from '../../../protocol/frames.ts'
import { playerOf } from '../bots.ts'
import type { Timeline } from '../timeline.ts'
import { isJoined } from './durable.ts'
import type { RoomPast } from './past.ts'
import type { WireFrame } from './wire.ts'

type Pasts = ReadonlyMap<RoomId, RoomPast>

/** A JOIN or a read that was sent: what anybody had been shown by then, it must show too. */
interface Asked {
  readonly room: RoomId
  readonly who: string
  readonly at: number
  /** The highest event of the room that had been shown to anybody. */
  readonly known: Seq
  readonly since: Seq
}

/**
 * No answer is older than what anybody was shown before it was asked for: an engine that has lost a room, and does not know it yet,
 * must not answer for it. So of two engines never both answer for one room.
 */
export const checkFresh = (pasts: Pasts, wire: readonly WireFrame[], timeline: Timeline): void => {
  const newest = new Map<RoomId, Seq>()
  /** By link and room. */
  const waiting = new Map<string, Asked>()
  /** By session and ref: a retry may be answered with what the first was. */
  const joins = new Map<string, Asked>()
  let time = 0
  const ask = ({ who, at }: WireFrame, room: RoomId, since: unknown): Asked => {
    const known = newest.get(room) ?? 0
    return { room, who, at, known, since: typeof since === 'number' ? since : 0 }
  }
  const fits = (asked: Asked, seq: Seq): void => {
    const past = pasts.get(asked.room)
    const player = playerOf(asked.who)
    timeline.count('answers that are fresh')
    if (past === undefined || seq >= past.changed(asked.known, player)) return
    const document = past.document(seq, player)
    for (let later = asked.known; later <= past.seq; later++) if (past.document(later, player) === document) return
    timeline.fail(
      'P3',
      asked.room,
      `${asked.who} asked at ${asked.at} ms, when ${asked.known} had been shown to somebody, and was shown ${seq}: nobody may answer for a room that another one has`,
      time,
    )
  }
  for (const frame of wire) {
    time = frame.at
    const { conn, session, up, reads, status } = frame
    const [op, second, third, fourth] = frame.frame
    const link = (room: RoomId) => `${conn} ${room}`
    if (reads !== undefined && status === undefined) waiting.set(link(reads.room), ask(frame, reads.room, reads.since))
    else if (reads !== undefined) {
      const asked = waiting.get(link(reads.room))
      // Nothing came: what it held is what there is. A poll that was held may be let go by a gateway that has heard of nothing.
      if (asked !== undefined && (status === 200 || (status === 204 && reads.wait === 0))) fits(asked, asked.since)
      waiting.delete(link(reads.room))
    } else if (up) {
      const extra: unknown = fourth
      const since = typeof extra === 'object' && extra !== null && 'since' in extra ? extra.since : 0
      const ref = `${session} ${second}`
      if (op === OP.join && typeof third === 'string' && !joins.has(ref)) joins.set(ref, ask(frame, third, since))
    } else if (op === OP.ok) {
      const asked = joins.get(`${session} ${second}`)
      if (asked !== undefined && isJoined(third) && frame.over === 'socket') waiting.set(link(asked.room), asked)
    } else if (typeof second === 'string' && typeof third === 'number') {
      const seq = op === OP.patch && typeof fourth === 'number' ? fourth : third
      const asked = waiting.get(link(second))
      if (asked !== undefined && (op === OP.state || op === OP.patch)) {
        waiting.delete(link(second))
        fits(asked, seq)
      }
      newest.set(second, Math.max(newest.get(second) ?? 0, seq))
    }
  }
}
