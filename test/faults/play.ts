import { until } from '../program.ts'
import { audit } from './audit.ts'
import type { Cluster } from './cluster.ts'
import type { Fault } from './faults.ts'
import { startTable, type Table } from './tables.ts'

/** How often it was struck, and the longest time in which a table that was playing had no move acknowledged. */
export interface Struck {
  readonly what: string
  readonly times: number
  readonly kills: number
  readonly longestMs: number
}

export interface Played {
  readonly moves: number
  readonly rooms: number
  /** One line for each acknowledged move that is not in the log, is there twice, or was shown otherwise than it is there. */
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  readonly forks: readonly string[]
  readonly struck: readonly Struck[]
}

/** Until each table plays again after a fault. */
const RECOVER_MS = 120_000
const MOVES_BETWEEN = 3

/** Lets tables play while one fault after the other strikes, each once play goes on everywhere; then holds what was seen against the log. */
export const playThrough = async (
  cluster: Cluster,
  faults: readonly Fault[],
  { tables: size, say = () => {} }: { tables: number; say?: (line: string) => void },
): Promise<Played> => {
  let isOver = false
  const tables = await Promise.all(Array.from({ length: size }, (_, n) => startTable(cluster.url, n, () => !isOver)))
  const failed = Promise.all(tables.map(({ over }) => over)).then(() => undefined)
  const strikes: { what: string; kills: number; from: number; to: number }[] = []
  const goOn = async () => {
    const counts = tables.map(({ moves }) => moves.length + MOVES_BETWEEN)
    const all = () => tables.every(({ moves }, n) => moves.length >= (counts[n] ?? 0))
    await Promise.race([failed, until(all, 'moves at every table', RECOVER_MS)])
  }
  await goOn()
  for (const fault of faults) {
    const from = performance.now()
    const mend = await fault.strike(cluster)
    // Whoever takes over does so before what broke is back.
    if (fault.othersGoOn) await goOn()
    await mend()
    await goOn()
    const to = performance.now()
    strikes.push({ what: fault.what, kills: fault.kills, from, to })
    say(`${fault.what}: play stood still for ${Math.round(longestGap(tables, from, to))} ms at most`)
  }
  isOver = true
  await failed
  for (const { sessions } of tables) for (const session of sessions) session.close()
  const struck = [...new Set(faults.map(({ what }) => what))].map((what) => {
    const own = strikes.filter((strike) => strike.what === what)
    const longestMs = Math.max(...own.map(({ from, to }) => longestGap(tables, from, to)))
    return { what, times: own.length, kills: own.reduce((sum, { kills }) => sum + kills, 0), longestMs }
  })
  return { ...(await audit(cluster.natsUrl, tables)), struck }
}

/** The longest part of the time from `from` to `to` in which one table had no move acknowledged. */
const longestGap = (tables: readonly Table[], from: number, to: number): number =>
  Math.max(
    ...tables.flatMap(({ moves }) => {
      const times = [from, ...moves.map(({ at }) => at).filter((at) => at > from && at < to), to]
      return times.slice(1).map((at, i) => at - (times[i] ?? at))
    }),
  )
