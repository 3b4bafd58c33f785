import { percentile, sleep } from '../bench/figures.ts'
import { startOurs } from '../bench/server.ts'
import { Crowd, type Slice } from './crowd.ts'
import { ROWS, type Row, WEBSOCKET } from './transports.ts'

/** A server holds so many players where 99 of 100 moves are seen within this time. */
export const BOUND_MS = 100
const SETTLE_MS = 1_000
const WARM_MS = 1_000
/** What else the machine does for a moment can only make it worse: where a slice is not held, the best of so many counts. */
const TRIES = 3
/** A transport that is not held at so many levels in a row is left out of those above. */
const FALLS = 2
/** Connections of a player over HTTP: one that is held, and one for what goes up, which the server closes when it rests. */
const CONNECTIONS = 2
/** Of the files that a process may open, those that are not players' connections. */
const OTHER_FILES = 200

/** What one transport showed with so many players. */
export interface Rung {
  row: Row
  players: number
  p50: number
  p99: number
  /** CPU of the server's main thread, and of all its threads, as shares of a core. */
  main: number
  cpu: number
  waited: number
  busy: number
  /** Why it counts as not held whatever its latency is, or null. */
  flaw: string | null
}

export interface LadderOptions {
  /** Numbers of players, rising. */
  levels: readonly number[]
  /** Moves a second and room. */
  moves: number
  ms: number
  /** How many files a process may open here. */
  files: number
  onRung(rung: Rung): void
}

/** Whether 99 of 100 moves were seen by each of the others within `bound`, and none was lost. Pure. */
export const isHeld = ({ p99, flaw }: Rung, bound: number): boolean => flaw === null && p99 < bound

/** The bound that a poll can keep at best: it comes up to its interval later. Pure. */
export const ownBound = ({ everyMs }: Row): number => BOUND_MS + everyMs

/** The transports in turn with rising numbers of the same players in the same rooms; each until it no longer holds them. */
export const climb = async ({ levels, moves, ms, files, onRung }: LadderOptions): Promise<Rung[]> => {
  const server = await startOurs()
  const crowd = new Crowd(server, 'player')
  const rungs: Rung[] = []
  let rows = ROWS
  for (const players of levels) {
    const fitting = rows.filter((row) => players * (row === WEBSOCKET ? 1 : CONNECTIONS) + OTHER_FILES <= files)
    if (fitting.length === 0) break
    await crowd.grow(players, WEBSOCKET)
    for (const row of fitting) {
      const measure = async () => {
        await sleep(SETTLE_MS)
        await crowd.play(moves, WARM_MS, row.everyMs)
        return rungOf(row, await crowd.play(moves, ms, row.everyMs))
      }
      const refusal = await crowd.change(row).then(
        () => null,
        (error: Error) => error.message,
      )
      let rung = refusal === null ? await measure() : refused(row, players, refusal)
      for (let tries = 1; tries < TRIES && refusal === null && !isHeld(rung, ownBound(row)); tries++)
        rung = better(rung, await measure())
      rungs.push(rung)
      onRung(rung)
    }
    rows = rows.filter((row) => {
      const last = rungs.filter((rung) => rung.row === row).slice(-FALLS)
      return last.length < FALLS || last.some((rung) => isHeld(rung, ownBound(row)))
    })
    if (rows.length === 0) break
  }
  crowd.close()
  await server.stop()
  return rungs
}

/** Some of the players could not even enter. */
const refused = (row: Row, players: number, flaw: string): Rung => ({
  ...{ row, players, flaw },
  ...{ p50: Number.NaN, p99: Number.NaN, main: Number.NaN, cpu: Number.NaN, waited: Number.NaN, busy: Number.NaN },
})

const better = (one: Rung, other: Rung): Rung => {
  if ((one.flaw === null) !== (other.flaw === null)) return one.flaw === null ? one : other
  return one.p99 <= other.p99 ? one : other
}

const rungOf = (row: Row, slice: Slice): Rung => {
  const { players, ms, sent, seen, failure, latencies, mainMicros, otherMicros, waited, busy } = slice
  const flaw = failure ?? (seen < sent ? `${sent - seen} of ${sent} moves were not seen by all` : null)
  return {
    row,
    players,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    main: mainMicros / 1_000 / ms,
    cpu: (mainMicros + otherMicros) / 1_000 / ms,
    waited,
    busy,
    flaw,
  }
}
