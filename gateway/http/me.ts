import type { Clock } from '../../protocol/clock.ts'
import { PROTOCOL_VERSION } from '../../protocol/frames.ts'
import type { Limits } from '../greeting.ts'
import type { Identity } from '../identity.ts'
import { type HttpReply, json } from './reply.ts'

/** `GET /v1/me` → what WELCOME says, for a client without a socket. */
export const getMe = ({ id, name }: Identity, { clock, limits }: { clock: Clock; limits: Limits }): HttpReply =>
  json(200, {
    v: PROTOCOL_VERSION,
    player: { id, name },
    now: clock.now(),
    limits: { frame: limits.frame, rate: limits.rate },
  })
