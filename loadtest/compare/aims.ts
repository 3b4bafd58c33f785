import { fixed, median, verdict } from '../bench/figures.ts'
import type { Traffic } from './bytes.ts'
import { isHeld, ownBound, type Rung } from './ladder.ts'
import { bytesOf, rateName } from './report.ts'
import { LONG_POLLING, POLLING_1000, type Row, SSE, WEBSOCKET } from './transports.ts'

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

  const latencies = [
    { row: WEBSOCKET, to: POLLING_1000, most: LATENCY_SHARE, name: 'a tenth of the latency of polling at 1 s (p50)' },
    ...[SSE, LONG_POLLING].map((row) => ({
      row,
      to: WEBSOCKET,
      most: STREAM_P50,
      name: 'twice WebSocket’s p50 on loopback',
    })),
  ].map(({ row, to, most, name }) => {
    const ratios = p50Ratios(rungs, row, to)
    const ratio = median(ratios)
    return `- ${row.title} takes at most ${name}: ${verdict(ratios.length > 0 && ratio <= most)} (${fixed(ratio, ratio < 0.2 ? 3 : 2)} times).`
  })
  return [
    ...bytes,
    ...latencies,
    '',
    'Ratios of latency are the median over the numbers of players that both transports held.',
  ].join('\n')
}

/** How many times the p50 of `to` that of `row` is, for each number of players that both held. Pure. */
const p50Ratios = (rungs: readonly Rung[], row: Row, to: Row): number[] => {
  const heldBy = (one: Row) => rungs.filter((rung) => rung.row === one && isHeld(rung, ownBound(one)))
  return heldBy(row).flatMap(({ players, p50 }) => {
    const other = heldBy(to).find((rung) => rung.players === players)
    return other === undefined ? [] : [p50 / other.p50]
  })
}
