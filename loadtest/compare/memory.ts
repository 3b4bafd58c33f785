import { sleep } from '../bench/figures.ts'
import { addressOf, many, tokenOf } from '../bench/player.ts'
import { type Server, startOurs } from '../bench/server.ts'
import { type Point, slope } from '../bench/slope.ts'
import { createRoom } from './create-room.ts'
import { SEATS } from './crowd.ts'
import type { Link, LinkListener } from './link.ts'
import { openLink } from './open-link.ts'
import { emptyTally } from './tally.ts'
import { ROWS, type Row, WEBSOCKET } from './transports.ts'

const AT_ONCE = 32

/** What one more spectator costs the server, bytes. */
export interface Weight {
  row: Row
  rss: number
  /** JavaScript heap and external memory. */
  live: number
}

/** Spectators of one room over each transport, each on a server of its own; what they cost is the slope over their number. */
export const weigh = async (counts: readonly number[], settleMs: number): Promise<Weight[]> => {
  const weights: Weight[] = []
  for (const row of ROWS) {
    const server = await startOurs()
    weights.push(await weightOf(server, row, counts, settleMs))
    await server.stop()
  }
  return weights
}

const weightOf = async (server: Server, row: Row, counts: readonly number[], settleMs: number): Promise<Weight> => {
  const room = await createRoom(server.port)
  const links: Link[] = []
  let failure: string | null = null
  const on: LinkListener = { shown() {}, answered() {}, failed: (why) => (failure ??= `${row.title}: ${why}`) }
  const open = async (over: Row, nth: number): Promise<void> => {
    const player = `player-${nth}`
    const seat = {
      port: server.port,
      address: addressOf(nth),
      token: tokenOf(player),
      session: player.padEnd(22, '0'),
      room,
    }
    links.push(await openLink(over, { seat, since: 0, ref: 1, tally: emptyTally(), phase: (nth * 0.618) % 1, on }))
  }
  // Who comes when all seats are taken is a spectator.
  for (let nth = 0; nth < SEATS; nth++) await open(WEBSOCKET, nth)
  const points: Point[] = []
  for (const count of counts) {
    const first = links.length
    await many(count + SEATS - first, AT_ONCE, (nth) => open(row, first + nth))
    await sleep(settleMs)
    if (failure !== null) throw new Error(failure)
    points.push({ connections: count, memory: await server.memory() })
  }
  for (const link of links) link.close()
  return { row, rss: slope(points, ({ rss }) => rss), live: slope(points, ({ heap, external }) => heap + external) }
}
