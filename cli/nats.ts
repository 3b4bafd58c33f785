import type { Logger } from 'pino'
import { connectNats, type NatsLink } from '../bus/nats-connection.ts'
import { NatsProblem } from '../bus/nats-problem.ts'
import type { Clock } from '../protocol/clock.ts'
import { expecting } from './cannot-start.ts'
import { type NatsFlags, natsAccess } from './nats-access.ts'

/**
 * The connection to NATS that the flags name; it mends itself, and what becomes of it is logged. Rejects with CannotStart: at once
 * where NATS refuses us or is unfit, after 10 s where it cannot be reached.
 */
export const openNats = async (
  flags: NatsFlags & { nats: readonly string[] },
  { clock, log }: { clock: Clock; log: Logger },
): Promise<NatsLink> => {
  const access = natsAccess(flags)
  const waiting = (why: string) => log.warn(`${why} Trying again for 10 s …`)
  const link = await expecting([NatsProblem], connectNats(access, clock, waiting))
  log.info({ server: link.connection.getServer() }, 'connected to NATS')
  link.onChange((change) => {
    if (change.is === 'refused') log.error({ err: change.error }, 'NATS objects')
    else if (change.is === 'connected') log.info({ server: change.server }, 'connected to NATS again')
    else log.warn({ server: change.server }, 'lost NATS: looking for a server')
  })
  return link
}
