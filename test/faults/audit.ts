import type { Seq } from '../../protocol/frames.ts'
import { cellOf, type Logged, logsOf } from './logs.ts'
import type { Acknowledged, Table } from './tables.ts'

/** NATS may not have come to itself yet after the last fault. */
const PATIENCE_MS = 60_000

/** Holds what tables saw against the log on NATS. Rejects where a log cannot be read whole. */
export const audit = async (nats: string, tables: readonly Table[]) => {
  const moves = tables.flatMap((table) => table.moves)
  const rooms = new Set(moves.map(({ room }) => room))
  const logs = await logsOf({ nats: nats.split(',') }, rooms, PATIENCE_MS)
  const logged = (room: string) => logs.get(room) ?? []
  const forks = new Set<string>()
  for (const { room, seq, cells } of tables.flatMap((table) => table.shown))
    if (logs.has(room) && cells !== cellsAt(logged(room), seq)) forks.add(`${room} was shown at ${seq} as ${cells}`)
  return {
    moves: moves.length,
    rooms: rooms.size,
    lost: moves.filter((move) => !isLogged(move, logged(move.room))).map((move) => JSON.stringify(move)),
    doubled: [...logs].flatMap(([room, log]) => doubles(log).map((what) => `${room}: ${what}`)),
    forks: [...forks],
  }
}

const isLogged = ({ seq, by, cell }: Acknowledged, log: readonly Logged[]): boolean => {
  const event = log[seq - 1]
  return event?.type === 'move' && event.seq === seq && event.origin?.by === by && cellOf(event) === cell
}

/** Requests that took effect twice, and marks that were made twice. */
const doubles = (log: readonly Logged[]): string[] => {
  const seen = new Set<string>()
  return log.flatMap((event) => {
    const names = [
      ...('origin' in event && event.origin !== null ? [`request ${JSON.stringify(event.origin)}`] : []),
      ...(event.type === 'move' ? [`cell ${cellOf(event)}`] : []),
    ]
    const twice = names.filter((name) => seen.has(name))
    for (const name of names) seen.add(name)
    return twice
  })
}

/** The board after the event `seq`, by the moves alone. */
const cellsAt = (log: readonly Logged[], seq: Seq): string => {
  const cells: (string | null)[] = Array(9).fill(null)
  for (const event of log)
    if (event.type === 'move' && event.seq <= seq) cells[cellOf(event)] = event.origin?.by ?? null
  return JSON.stringify(cells)
}
