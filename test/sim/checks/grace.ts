import { OP, type PlayerId, type RoomId } from '../../../protocol/frames.ts'
import { playerOf } from '../bots.ts'
import type { World } from '../world.ts'
import type { RoomPast } from './past.ts'

/** A player who was connected is dropped after this long without a connection, and not before. */
const GRACE_MS = 5_000
/** What was sent to somebody may be this long on its way; while a gateway is paused, longer. */
const ON_ITS_WAY_MS = 1_000

/**
 * Nobody is dropped within 5 s of being sent something on a connection, whatever became of it: its gateway may have vanished, or the
 * room's engine.
 */
export const checkGrace = ({ wire, store, pauses, ground }: World, pasts: ReadonlyMap<RoomId, RoomPast>): void => {
  const { timeline } = ground
  const streams = new Set(wire.filter(({ reads }) => reads?.as === 'stream').map(({ conn }) => conn))
  const shown = new Map<string, number[]>()
  for (const { at, who, up, conn, over, frame } of wire) {
    const [op, room] = frame
    const isPushed = over === 'socket' || streams.has(conn)
    if (up || !isPushed || (op !== OP.patch && op !== OP.emit)) continue
    const key = `${room} ${playerOf(who)}`
    const times = shown.get(key) ?? []
    shown.set(key, times)
    times.push(at)
  }
  const droppedAt = (room: RoomId, seq: number): number =>
    store.landings.get(room)?.find((landing) => landing.seq >= seq)?.at ?? 0
  const check = (room: RoomId, player: PlayerId, seq: number): void => {
    const at = droppedAt(room, seq)
    timeline.count('drops')
    const isHeldUp = pauses.some(({ from, to }) => from < at && to > at - GRACE_MS - ON_ITS_WAY_MS)
    const last = shown.get(`${room} ${player}`)?.findLast((time) => time <= at) ?? Number.NEGATIVE_INFINITY
    if (isHeldUp || at - last >= GRACE_MS - ON_ITS_WAY_MS) return
    timeline.fail('run', room, `${player} was dropped ${at - last} ms after something was sent on a connection`, at)
  }
  for (const { room, events } of pasts.values())
    for (const { seq, input } of events) if (input.type === 'player.dropped') check(room, input.by, seq)
}
