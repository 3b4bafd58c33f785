import type { Clock } from '../../protocol/clock.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { Gateway } from '../gateway.ts'
import type { Identity } from '../identity.ts'
import type { Reading } from '../reads.ts'
import type { Topics } from '../topics.ts'
import { acceptedForm, framesReply } from './forms.ts'
import { HeldPoll } from './held-poll.ts'
import { pollFrames } from './poll-frames.ts'
import { PRESENCE_MS, roomOf, seqOf } from './reading.ts'
import type { HttpReply, HttpRequest } from './reply.ts'
import type { Seats } from './seats.ts'
import { NO_SESSION, sessionOf } from './session.ts'

const LONGEST_WAIT_SECONDS = 30
const DEFAULT_WAIT_SECONDS = 25

export interface ReadRoutes {
  gateway: Pick<Gateway, 'read' | 'hold' | 'counters'>
  clock: Clock
  topics: Topics
  seats: Seats
}

/** `GET /v1/poll?room=R&since=seq&wait=25` → 200 with the frames since, or 204 where none came within `wait` seconds. */
export const getPoll = async (
  request: HttpRequest,
  { id, name, guest }: Identity,
  routes: ReadRoutes,
): Promise<HttpReply> => {
  const room = roomOf(request)
  const since = seqOf(request.query.get('since'), 'since')
  const waitMs = waitOf(request) * 1_000
  const counts = routes.gateway.counters.http[waitMs === 0 ? 'poll' : 'longpoll']
  counts.requests++
  const who = { player: { id, name }, guest, session: sessionOf(request) ?? NO_SESSION }
  const reading: Reading = { who, room, since, presenceMs: waitMs + PRESENCE_MS }
  const said = waitMs === 0 ? await routes.gateway.read(reading) : null
  const frames = said ? pollFrames(said, { room, since, least: 0 }) : await held(request, reading, waitMs, routes)
  if (frames === null) return { status: 204, headers: { 'Cache-Control': 'no-store' }, body: '' }
  const reply = framesReply(frames, acceptedForm(request.headers.get('accept'), 'json'))
  counts.bytesOut += reply.body.length
  return reply
}

const waitOf = ({ query }: HttpRequest): number => {
  const text = query.get('wait')
  if (text === null) return DEFAULT_WAIT_SECONDS
  const wait = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
  if (wait <= LONGEST_WAIT_SECONDS) return wait
  throw new Refusal('bad_frame', `wait: 0 to ${LONGEST_WAIT_SECONDS} seconds were expected`)
}

/** What the room has to say at once, else what comes first. */
const held = async (
  request: HttpRequest,
  reading: Reading,
  waitMs: number,
  { gateway, clock, topics, seats }: ReadRoutes,
): Promise<unknown[] | null> => {
  const { who, room, since } = reading
  const counts = gateway.counters.http.longpoll
  const leave = seats.take(who.player.id)
  const poll = new HeldPoll(room, topics, clock, waitMs)
  counts.open++
  void poll.ended.then(() => {
    counts.open--
    leave()
  })
  const { peer, answered } = gateway.hold(reading, poll, request.address)
  poll.peer = peer
  request.onGone(() => poll.cut())
  try {
    // What ends the poll before the room has said anything ends it for good.
    const said = await Promise.race([answered, poll.ended.then(() => null)])
    return said === null || said.length === 0
      ? pollFrames(await poll.ended, { room, since, least: since })
      : pollFrames(said, { room, since, least: 0 })
  } finally {
    poll.end()
  }
}
