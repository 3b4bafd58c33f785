import { matchPartition } from '../../../bus/subjects.ts'
import { isErrands } from '../errands.ts'
import { Cluster, sessionOf } from './cluster.ts'
import { gameOf } from './games.ts'
import type { ScriptedClient } from './gateway.ts'

const table = (id: string, players: string, more = ', autoStart: true') =>
  gameOf(id, {
    before: `const opts = { '~standard': { version: 1, vendor: 'test', validate: (v) => ({ value: { size: v?.size ?? 3 } }) } }`,
    head: `players: ${players}, options: opts`,
    machine: 'context: {}',
    face: `everyone: () => ({})${more}`,
  })
const GAMES = [table('pair', '[2, 2]'), table('trio', '[3, 3]'), table('crew', '[2, 3]', '')]

/** Engine a has the queues of all games; the other partitions are shared out evenly. */
const share =
  (...names: string[]) =>
  (partition: number): string =>
    GAMES.some(({ runner }) => matchPartition(runner.id) === partition) ? 'a' : (names[partition % names.length] ?? 'a')

/** Engines of these names, among which partitions are shared out; `player` connects one at the first gateway, or the second. */
export const startMatching = async (...names: string[]) => {
  const cluster = await Cluster.start(GAMES, share(...names))
  const player = (id: string, at: 0 | 1 = 0): ScriptedClient =>
    cluster.gateways[at].connect(id, { session: sessionOf(id) })
  return { cluster, player }
}

/** The room that an OK names. Throws where the reply is none. */
export const roomOf = (reply: object): string => {
  if ('ok' in reply && typeof reply.ok === 'object' && reply.ok !== null && 'room' in reply.ok)
    return String(reply.ok.room)
  throw new Error(`no room: ${JSON.stringify(reply)}`)
}

/** The rooms in which a seat is logged for a player, over all these engines. */
export const seatsKept = (cluster: Cluster, names: readonly string[], player: string): string[] =>
  names.flatMap((name) =>
    [...cluster.engine(name).rooms.live()].flatMap(({ room, state }) =>
      Object.hasOwn(state.windows, player) ? [room] : [],
    ),
  )

/** The rooms that engines asked each other for seats in, one for each time. */
export const errands = (cluster: Cluster): string[] =>
  cluster.published.flatMap(({ message }) =>
    message.kind === 'command' && isErrands(message.gateway) ? [message.room] : [],
  )
