import { fixed, verdict } from '../bench/figures.ts'
import type { Traffic } from './bytes.ts'
import { isHeld, ownBound, type Rung } from './ladder.ts'
import { bytesOf, rateName } from './report.ts'
import { LONG_POLLING, POLLING_1000, ROWS, type Row, SSE, WEBSOCKET } from './transports.ts'

const FEWER_BYTES = 10
const LATENCY_SHARE = 0.1
const STREAM_P50 = 2

/** What was aimed for, each as met or missed with its figure: a Markdown list. Pure. */
export const aimsSection = (traffic: readonly Traffic[], rungs: readonly Rung[]): string => {
  const of = (row: Row) => traffic.find((each) => each.row === row)
  const [socket, polling] = [of(WEBSOCKET), of(POLLING_1000)]
  if (socket === undefined || polling === undefined) throw new Error('a transport is missing')
  const bytes = [
    { when: 'idle', ratio: bytesOf(polling.idle) / bytesOf(socket.idle) },
    ...polling.playing.map(({ moves, tally }, i) => ({
      when: rateName(moves),
      ratio: bytesOf(tally) / bytesOf(socket.playing[i]?.tally ?? tally),
    })),
  ].map(
    ({ when, ratio }) =>
      `- WebSocket takes at least ${FEWER_BYTES} times fewer bytes than polling at 1 s, ${when}: ${verdict(ratio >= FEWER_BYTES)} (${fixed(ratio, 1)} times).`,
  )

  const level = commonLevel(rungs)
  const p50 = (row: Row) => rungs.find((rung) => rung.row === row && rung.players === level)?.p50 ?? Number.NaN
  const share = p50(WEBSOCKET) / p50(POLLING_1000)
  const streams = [SSE, LONG_POLLING].map((row) => {
    const ratio = p50(row) / p50(WEBSOCKET)
    return `- ${row.title} has at most ${STREAM_P50} times WebSocket’s p50 on loopback: ${verdict(ratio <= STREAM_P50)} (${fixed(ratio, 2)} times).`
  })
  return [
    ...bytes,
    `- WebSocket has at most a tenth of the latency of polling at 1 s (p50): ${verdict(share <= LATENCY_SHARE)} (${fixed(share, 3)}).`,
    ...streams,
    '',
    `Latencies are those with ${fixed(level)} players, the most that all of them held in this run.`,
  ].join('\n')
}

/** The largest number of players that every transport held; else the smallest that was measured. Pure. */
const commonLevel = (rungs: readonly Rung[]): number => {
  const levels = [...new Set(rungs.map(({ players }) => players))]
  const isCommon = (players: number) =>
    ROWS.every((row) =>
      rungs.some((rung) => rung.row === row && rung.players === players && isHeld(rung, ownBound(row))),
    )
  return levels.findLast(isCommon) ?? levels[0] ?? 0
}
