import type { Chance, Clock } from '../protocol/clock.ts'
import { encode } from '../protocol/codec.ts'
import { CLOSE } from '../protocol/errors.ts'
import { OP } from '../protocol/frames.ts'
import type { Connection } from './connection.ts'

/** How long answers may take that are under way. */
const DRAIN_MS = 3_000
const POLL_MS = 50
/** Clients come back spread over this. */
const RETRY_SPREAD_MS = 2_000

/** Tells a client that the server is about to close, and when to come back; its new requests are refused from now on. */
export const sayBye = (connection: Connection, chance: Chance): void => {
  const retryAfter = chance.uint32() % RETRY_SPREAD_MS
  connection.send([encode([OP.bye, 'restarting', { retryAfter, resume: true }])])
  const { lifecycle } = connection
  if (lifecycle.is === 'online') connection.lifecycle = { ...lifecycle, is: 'leaving' }
}

/** Says BYE to all, waits until what is under way is answered, ends all with 1012, and resolves. */
export const drain = async (
  connections: ReadonlyMap<number, Connection>,
  clock: Clock,
  chance: Chance,
  isAnswering: () => boolean,
): Promise<void> => {
  for (const connection of [...connections.values()]) sayBye(connection, chance)
  const deadline = clock.now() + DRAIN_MS
  const isBusy = () =>
    isAnswering() ||
    [...connections.values()].some(({ lanes, mediaCalls }) => lanes.size > 0 || (mediaCalls?.size ?? 0) > 0)
  while (isBusy() && clock.now() < deadline) await new Promise<void>((resolve) => clock.after(POLL_MS, resolve))
  for (const connection of [...connections.values()]) connection.end(CLOSE.restarting, 'restarting')
}
