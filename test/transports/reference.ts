import { openStored } from '../../cli/stored.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import { canonical, type RoomPast, roomPast } from '../sim/checks/past.ts'
import { backward, GAMES, type Shown } from './seats.ts'

/** The room as its log has it, in a data folder that a program may be running on, or on NATS. Throws where it is not there or damaged. */
export const pastOf = async (log: string | { nats: string[] }, room: RoomId): Promise<RoomPast> => {
  const stored = await openStored({ ...(typeof log === 'string' ? { data: log } : log), games: GAMES })
  if ('exit' in stored) throw new Error(`the log cannot be read: ${JSON.stringify(stored)}`)
  try {
    const past = await roomPast(room, stored)
    if (past === null) throw new Error(`there is no room ${room}`)
    return past
  } finally {
    await stored.close()
  }
}

/**
 * What is wrong with what a player was shown, held against the rules' own views of the log's replay: a document that is not the
 * one of its seq or not newer than the one before, an EMIT that is missing, heard twice, out of order or not for this player.
 */
export const wrongIn = (past: RoomPast, player: PlayerId, seen: Shown): string[] => {
  const wrong = backward(seen).map((seq) => `a document at ${seq} after one that was not older`)
  for (const { seq, document } of seen.views)
    if (past.document(seq, player) !== canonical(document)) wrong.push(`another document at ${seq}`)
  const from = seen.views[0]?.seq ?? 0
  const expected = past.events.flatMap(({ seq }) =>
    seq > from ? past.emits(seq, player).map((event) => `${seq} ${event}`) : [],
  )
  const heard = seen.emits.map(({ seq, event }) => `${seq} ${canonical(event)}`)
  const rest = [...heard]
  for (const emit of expected) {
    const at = rest.indexOf(emit)
    if (at === -1) wrong.push(`EMIT ${emit} was not heard`)
    else rest.splice(at, 1)
  }
  for (const emit of rest) wrong.push(`EMIT ${emit} was heard once too often, or is not for ${player}`)
  const order = seen.emits.map(({ seq }) => seq)
  if (order.some((seq, i) => seq < (order[i - 1] ?? 0))) wrong.push('EMITs out of order')
  return wrong
}
