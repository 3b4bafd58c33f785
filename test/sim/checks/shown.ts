import type { RoomId } from '../../../protocol/frames.ts'
import type { DoneMove, Showing } from '../bots.ts'
import type { Timeline } from '../timeline.ts'
import { canonical, type RoomPast } from './past.ts'

/** P3 on what the SDK showed its users: never backwards, never another document, no EMIT twice, a move on show when it resolves. */
export const checkShown = (
  pasts: ReadonlyMap<RoomId, RoomPast>,
  showings: readonly Showing[],
  moves: readonly DoneMove[],
  timeline: Timeline,
): void => {
  for (const { who, player, room, views, emits } of showings) {
    const past = pasts.get(room)
    const fail = (what: string) => timeline.fail('P3', room, `the SDK of ${who} ${what}`)
    let last = 0
    for (const { seq, document } of views) {
      if (seq < last) fail(`went back from ${last} to ${seq}`)
      last = seq
      if (past?.document(seq, player) !== canonical(document)) fail(`showed another document at ${seq}`)
    }
    let count = 0
    for (const [i, { seq, event }] of emits.entries()) {
      const before = emits[i - 1]?.seq ?? 0
      count = seq === before ? count + 1 : 1
      if (seq < before) fail(`emitted ${seq} after ${before}`)
      if (past?.emits(seq, player)[count - 1] !== canonical(event))
        fail(`emitted ${canonical(event)} at ${seq}, not number ${count} there`)
    }
  }
  for (const { at, who, player, room, seq, shown } of moves) {
    const past = pasts.get(room)
    const changed = past?.changed(seq, player) ?? 0
    // What changed and changed back is not shown to who holds it already.
    const isBack = shown !== null && past?.document(shown, player) === past?.document(seq, player)
    if (shown !== null && shown < changed && !isBack)
      timeline.fail(
        'P3',
        room,
        `a move of ${who} resolved with ${seq} while the SDK showed ${shown}: it changed at ${changed}`,
        at,
      )
  }
}

/** Where a session that is in a room shows another document than the one at the log's end. */
export const behind = (
  pasts: ReadonlyMap<RoomId, RoomPast>,
  showings: readonly Showing[],
): { room: RoomId; what: string }[] =>
  showings.flatMap(({ who, player, room, handle }) => {
    const past = pasts.get(room)
    if (handle.closed !== null || past === undefined) return []
    const isLevel = past.document(past.seq, player) === canonical(handle.document)
    return isLevel ? [] : [{ room, what: `${who} shows event ${handle.seq} of ${past.seq}` }]
  })
