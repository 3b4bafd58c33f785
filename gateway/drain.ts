import type { Chance, Clock } from '../protocol/clock.ts'
import { encode } from '../protocol/codec.ts'
import { CLOSE } from '../protocol/errors.ts'
import { OP } from '../protocol/frames.ts'
import type { Connection } from './connection.ts'

/** How long answers may take that are under way. */
const DRAIN_MS = 3_000
const POLL_MS = 50
/** Clients come back no faster than 2,500 a second, and early enough that no player is dropped, which is after 5 s. */
const RETURN_MS = 0.4
const SPREAD_LEAST_MS = 250
const SPREAD_MOST_MS = 4_000

/** Over how many ms this many clients come back. Pure. */
export const spreadMs = (clients: number): number =>
  Math.min(Math.max(Math.ceil(clients * RETURN_MS), SPREAD_LEAST_MS), SPREAD_MOST_MS)

/** Tells a client that the server is about to close, and after how many ms to come back; its new requests are refused from now on. */
export const sayBye = (connection: Connection, retryAfter: number): void => {
  connection.send([encode([OP.bye, 'restarting', { retryAfter, resume: true }])])
  const { lifecycle } = connection
  if (lifecycle.is === 'online') connection.lifecycle = { ...lifecycle, is: 'leaving' }
}

/**
 * Says BYE to all, each with its own time to come back, waits until what is under way is answered, ends all with 1012 but the polls
 * that are held until that time, and resolves once these are answered too.
 */
export const drain = async (
  connections: ReadonlyMap<number, Connection>,
  clock: Clock,
  chance: Chance,
  isAnswering: () => boolean,
): Promise<void> => {
  const began = clock.now()
  const all = [...connections.values()]
  const spread = spreadMs(all.length)
  for (const [i, connection] of all.entries())
    sayBye(connection, Math.floor(((i + chance.uint32() / 2 ** 32) * spread) / all.length))

  const waitWhile = async (isSo: () => boolean, ms: number): Promise<void> => {
    while (isSo() && clock.now() < began + ms) await new Promise<void>((resolve) => clock.after(POLL_MS, resolve))
  }
  const endAll = (which: (connection: Connection) => boolean): void => {
    for (const connection of [...connections.values()].filter(which)) connection.end(CLOSE.restarting, 'restarting')
  }
  const isAny = (which: (connection: Connection) => boolean) => [...connections.values()].some(which)
  const isBusy = ({ lanes, mediaCalls }: Connection) => lanes.size > 0 || (mediaCalls?.size ?? 0) > 0
  const isHeld = ({ socket }: Connection) => socket.response?.as === 'held'
  await waitWhile(() => isAnswering() || isAny(isBusy), DRAIN_MS)
  endAll((connection) => !isHeld(connection))
  await waitWhile(() => isAny(isHeld), spread)
  endAll(() => true)
}
