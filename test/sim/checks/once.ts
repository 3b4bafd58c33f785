import type { Origin } from '../../../engine/room/input.ts'
import { OP, type RoomId, type Seq } from '../../../protocol/frames.ts'
import type { DoneMove } from '../bots.ts'
import type { Timeline } from '../timeline.ts'
import { type Acknowledged, isJoined } from './durable.ts'
import { canonical, type Happened, type RoomPast } from './past.ts'
import type { WireFrame } from './wire.ts'

interface Logged {
  readonly room: RoomId
  readonly seq: Seq
  readonly input: Happened['input']
}

type Pasts = ReadonlyMap<RoomId, RoomPast>

/** P2: every request is in the log at most once, every acknowledged one is there, and says the same each time. */
export const checkOnce = (
  pasts: Pasts,
  acknowledged: readonly Acknowledged[],
  moves: readonly DoneMove[],
  wire: readonly WireFrame[],
  timeline: Timeline,
): void => {
  const logged = indexLog(pasts, timeline)
  const values = new Map<string, string>()
  for (const ack of acknowledged) {
    const key = keyOf({ by: ack.player, session: ack.session, ref: ack.ref })
    const problem = missing(ack, logged.get(key), pasts)
    if (problem !== null) timeline.fail('P2', roomOf(ack), `${describe(ack)} was acknowledged: ${problem}`)
    if (ack.request[0] === OP.join) continue
    const value = canonical(ack.value ?? null)
    if ((values.get(key) ?? value) !== value)
      timeline.fail('P2', roomOf(ack), `${describe(ack)} was answered with ${values.get(key)} and with ${value}`)
    values.set(key, value)
  }
  for (const { room, seq, player, move, who } of moves) {
    const input = pasts.get(room)?.at(seq)?.input
    const isThere =
      input?.type === 'move' &&
      input.origin.by === player &&
      input.move === move.type &&
      canonical(input.payload) === canonical(move.payload)
    if (!isThere)
      timeline.fail('P2', room, `a move of ${who} resolved with ${seq}, and the log has another event there`)
  }
  checkRefused(logged, wire, timeline)
}

const indexLog = (pasts: Pasts, timeline: Timeline): Map<string, Logged> => {
  const logged = new Map<string, Logged>()
  for (const { room, events } of pasts.values()) {
    for (const { seq, input } of events) {
      const origin = 'origin' in input ? input.origin : null
      if (origin === null) continue
      const before = logged.get(keyOf(origin))
      if (before !== undefined)
        timeline.fail(
          'P2',
          room,
          `ref ${origin.ref} of ${origin.by} is logged twice: event ${before.seq} of ${before.room} and event ${seq} of ${room}`,
        )
      logged.set(keyOf(origin), { room, seq, input })
    }
  }
  return logged
}

/** Why the log does not hold what was acknowledged, or null. Pure. */
const missing = (ack: Acknowledged, logged: Logged | undefined, pasts: Pasts): string | null => {
  const [op, , , method] = ack.request
  const durable = (room: RoomId): number => ack.durable.get(room) ?? 0
  const named = roomNamed(ack.value)
  // Who was let in to watch, which is not logged, may find a seat when the same JOIN comes again.
  if (op === OP.join && isJoined(ack.value) && ack.value.role !== 'player') return null
  if (logged !== undefined && logged.seq > durable(logged.room))
    return `it is event ${logged.seq} of ${logged.room}, which was not durable then`
  switch (op) {
    case OP.create:
      return named !== null && durable(named) > 0 ? null : 'the room was not there'
    case OP.match:
      return logged?.input.type === 'seat.kept' && logged.room === named ? null : 'no seat is logged for it'
    case OP.move:
      if (logged?.input.type !== 'move') return 'it is not in the log'
      return logged.seq === ack.value ? null : `it is event ${logged.seq}, the answer said ${ack.value}`
    case OP.join: {
      const { value } = ack
      if (!isJoined(value)) return 'the answer is none of a JOIN'
      if (roomOf(ack) === null) return null
      const isMember = pasts.get(value.room)?.isMember(Math.max(value.seq, logged?.seq ?? 0), ack.player)
      return isMember ? null : `no member at event ${value.seq}`
    }
    case OP.call:
      // Past the log.
      if (typeof method === 'string' && method.startsWith('media.')) return null
      if (method === 'again' && logged === undefined)
        return [...(pasts.get(roomOf(ack) ?? '')?.events ?? [])].some(({ state }) => state.next === named)
          ? null
          : 'no next room is logged'
      return logged === undefined ? 'it is not in the log' : null
    default:
      return null
  }
}

/** A request that was sent once and refused for good has had no effect. Who sends it again has not taken the refusal. */
const checkRefused = (logged: ReadonlyMap<string, Logged>, wire: readonly WireFrame[], timeline: Timeline): void => {
  const sent = new Map<string, number>()
  for (const { up, session, frame } of wire) {
    const key = `${session} ${frame[1]}`
    if (up) sent.set(key, (sent.get(key) ?? 0) + 1)
  }
  for (const { up, session, frame } of wire) {
    const [op, ref, code] = frame
    const key = `${session} ${ref}`
    if (up || op !== OP.err || code === 'unavailable' || code === 'rate_limited' || sent.get(key) !== 1) continue
    const there = [...logged].find(([name]) => name.endsWith(` ${key}`))?.[1]
    if (there !== undefined)
      timeline.fail('P2', there.room, `ref ${ref} was sent once, refused with ${code}, and is event ${there.seq}`)
  }
}

const keyOf = ({ by, session, ref }: Pick<Origin, 'by' | 'session' | 'ref'>): string => `${by} ${session} ${ref}`

const roomOf = ({ request }: Acknowledged): RoomId | null =>
  request[0] !== OP.create && request[0] !== OP.match && typeof request[2] === 'string' ? request[2] : null

const roomNamed = (value: unknown): RoomId | null =>
  typeof value === 'object' && value !== null && 'room' in value && typeof value.room === 'string' ? value.room : null

const describe = ({ player, ref, request }: Acknowledged): string =>
  `ref ${ref} of ${player} (${request[0] === OP.call || request[0] === OP.move ? request[3] : `op ${request[0]}`})`
