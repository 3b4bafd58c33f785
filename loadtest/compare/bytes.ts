import { sleep } from '../bench/figures.ts'
import { type Server, startOurs } from '../bench/server.ts'
import { Crowd, SEATS } from './crowd.ts'
import { emptyTally, type Tally, tallyBetween } from './tally.ts'
import { ROWS, type Row } from './transports.ts'

/** What one player costs on the wire. */
export interface Traffic {
  row: Row
  /** From the first connection to the first document. */
  opening: Tally
  /** A minute in a room in which nothing happens. */
  idle: Tally
  /** A minute at each rate of moves a second and room. */
  playing: { moves: number; tally: Tally }[]
}

export interface BytesOptions {
  rooms: number
  idleMs: number
  /** Moves a second and room. */
  rates: readonly number[]
  playMs: number
}

/** Counts for each transport what goes over its players' connections; all at the same time, for counts do not depend on load. */
export const measureBytes = async (options: BytesOptions): Promise<Traffic[]> => {
  const server = await startOurs()
  const traffic = await Promise.all(ROWS.map((row) => trafficOf(server, row, options)))
  await server.stop()
  return traffic
}

const trafficOf = async (server: Server, row: Row, options: BytesOptions): Promise<Traffic> => {
  const { rooms, idleMs, rates, playMs } = options
  const crowd = new Crowd(server, row.name)
  await crowd.grow(rooms * SEATS, row)
  const each = 1 / crowd.players
  const opening = tallyBetween(emptyTally(), crowd.tally, each)

  const before = { ...crowd.tally }
  const began = performance.now()
  await sleep(idleMs)
  const idle = tallyBetween(before, crowd.tally, (each * 60_000) / (performance.now() - began))

  const playing: Traffic['playing'] = []
  for (const moves of rates) {
    const { tally, ms, seen, sent, failure } = await crowd.play(moves, playMs, row.everyMs)
    if (failure !== null || seen < sent)
      throw new Error(failure ?? `${row.title}: ${sent - seen} moves were not seen by all`)
    playing.push({ moves, tally: tallyBetween(emptyTally(), tally, (each * 60_000) / ms) })
  }
  crowd.close()
  return { row, opening, idle, playing }
}
