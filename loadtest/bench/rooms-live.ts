import { OP } from '../../protocol/frames.ts'
import { sleep } from './figures.ts'
import { many, Player } from './player.ts'
import type { Memory } from './probe.ts'
import { startOurs } from './server.ts'
import type { Wire } from './wire.ts'

/** What a room of a game costs in memory, bytes. */
export interface Live {
  game: string
  players: number
  rooms: number
  rss: number
  js: number
}

/** A connection joins no more. */
const ROOMS_OF_A_CONNECTION = 64
const AT_ONCE = 8
/** What is remembered of requests and rates is swept after seconds. */
const SETTLE_MS = 6_500
/** No night ends meanwhile. */
const OPTIONS = { tictactoe: undefined, mafia: { night: 3_600, day: 3_600 } }

/** Twice a number of rooms of a game, each with so many players: what the second half costs. */
export const measureLive = async (game: keyof typeof OPTIONS, players: number, least: number): Promise<Live> => {
  const server = await startOurs()
  try {
    const groups = Math.ceil(least / ROOMS_OF_A_CONNECTION)
    const rooms = groups * ROOMS_OF_A_CONNECTION
    const wires: Wire[] = []
    const openGroup = async (nth: number): Promise<void> => {
      const seats = await many(players, players, (seat) => Player.enter(server.port, nth * players + seat))
      wires.push(...seats.map(({ wire }) => wire))
      for (let n = 0; n < ROOMS_OF_A_CONNECTION; n++) {
        const room = (await seats[0]?.create(game, OPTIONS[game])) ?? ''
        for (const player of seats) await player.join(room)
        if (game === 'mafia') await seats[0]?.ask(OP.call, room, 'start')
      }
    }
    const fill = async (first: number): Promise<Memory> => {
      await many(groups, AT_ONCE, (nth) => openGroup(first + nth))
      await sleep(SETTLE_MS)
      return await server.memory()
    }
    const [one, two] = [await fill(0), await fill(groups)]
    for (const wire of wires) wire.cut()
    console.log(`${game}: ${rooms * 2} rooms`)
    return {
      game,
      players,
      rooms: rooms * 2,
      rss: (two.rss - one.rss) / rooms,
      js: (two.heap + two.external - one.heap - one.external) / rooms,
    }
  } finally {
    await server.stop()
  }
}
