import type { Chance } from '../../protocol/clock.ts'
import type { Identity } from '../identity.ts'
import type { ReadRoutes } from './poll.ts'
import { PRESENCE_MS, roomOf, seqOf } from './reading.ts'
import type { HttpRequest, StreamReply } from './reply.ts'
import { sessionOf } from './session.ts'
import { HttpStream } from './stream.ts'

/** `GET /v1/sse?room=R[&since=seq]` → 200 and a stream of frames, once the room has taken it. */
export const getEvents = async (
  request: HttpRequest,
  { id, name, guest }: Identity,
  { gateway, clock, topics, seats, chance }: ReadRoutes & { chance: Chance },
): Promise<StreamReply> => {
  const room = roomOf(request)
  const last = request.headers.get('last-event-id')
  const since = last === undefined ? seqOf(request.query.get('since'), 'since') : seqOf(last, 'Last-Event-ID')
  // Two pages of a player who name no session must not take the room from each other for ever.
  const session = sessionOf(request) ?? Buffer.from(chance.bytes(16)).toString('base64url')
  const who = { player: { id, name }, guest, session }
  const counts = gateway.counters.http.sse
  counts.requests++
  const leave = seats.take(id)
  counts.open++
  const stream = new HttpStream(room, topics, clock, counts, () => {
    counts.open--
    leave()
  })
  const { peer, answered } = gateway.hold({ who, room, since, presenceMs: PRESENCE_MS }, stream, request.address)
  stream.peer = peer
  request.onGone(() => stream.gone())
  try {
    await answered
  } catch (error) {
    stream.cut()
    throw error
  }
  return {
    status: 200,
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
    body: stream,
  }
}
