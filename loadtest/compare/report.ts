import { fixed, table } from '../bench/figures.ts'
import { barChart } from './bar-chart.ts'
import type { Traffic } from './bytes.ts'
import { BOUND_MS, isHeld, ownBound, type Rung } from './ladder.ts'
import { lineChart } from './line-chart.ts'
import type { Weight } from './memory.ts'
import type { Tally } from './tally.ts'
import { ROWS, type Row, WEBSOCKET } from './transports.ts'

const times = (value: number, reference: number): string => {
  const ratio = value / reference
  return `× ${fixed(ratio, ratio < 0.1 ? 2 : ratio < 10 ? 1 : 0)}`
}

export const bytesOf = ({ bytesUp, bytesDown }: Tally): number => bytesUp + bytesDown

/** How a rate of moves a second and room is called. Pure. */
export const rateName = (moves: number): string =>
  moves < 1
    ? `a move every ${fixed(1 / moves)} s and room`
    : `${moves === 1 ? 'a move' : `${fixed(moves)} moves`} a second and room`

/** The table of one player's messages and bytes in a minute, or once. Pure. */
const trafficTable = (traffic: readonly Traffic[], of: (each: Traffic) => Tally): string => {
  const reference = traffic.find(({ row }) => row === WEBSOCKET)
  return table(
    ['', 'messages up', 'bytes up', 'messages down', 'bytes down', 'bytes in all', 'to WebSocket', 'connections'],
    traffic.map((each) => {
      const tally = of(each)
      return [
        each.row.title,
        fixed(tally.messagesUp, 1),
        fixed(tally.bytesUp),
        fixed(tally.messagesDown, 1),
        fixed(tally.bytesDown),
        `**${fixed(bytesOf(tally))}**`,
        reference === undefined ? '' : times(bytesOf(tally), bytesOf(of(reference))),
        fixed(tally.connections, 1),
      ]
    }),
  )
}

/** The section on requests and bytes. Pure. */
export const trafficSection = (traffic: readonly Traffic[]): string =>
  [
    '**To enter** (once a player; for WebSocket with upgrade, HELLO and JOIN, for the others with the JOIN’s POST, up to the document; what the others’ joins bring meanwhile is in it):',
    trafficTable(traffic, ({ opening }) => opening),
    '**Idle** (a player and minute in a full room in which nobody moves):',
    trafficTable(traffic, ({ idle }) => idle),
    ...(traffic[0]?.playing ?? []).flatMap(({ moves }, i) => [
      `**Playing, ${rateName(moves)}** (a player and minute; each moves ${fixed((moves * 60) / 8, 1)} times and sees ${fixed(moves * 60)} moves):`,
      trafficTable(traffic, ({ idle, playing }) => playing[i]?.tally ?? idle),
    ]),
  ].join('\n\n')

export const trafficChart = (traffic: readonly Traffic[]): string => {
  const group = (title: string, of: (each: Traffic) => Tally) => ({
    title,
    bars: traffic.map((each) => ({
      title: each.row.title,
      value: bytesOf(of(each)),
      label: bytesOf(of(each)) < 1_000 ? `${fixed(bytesOf(of(each)))} B` : `${fixed(bytesOf(of(each)) / 1_000, 1)} kB`,
    })),
  })
  return barChart({
    title: 'Bytes of a player in a minute',
    unit: 'up and down, as they are on the TCP connection',
    groups: [
      group('idle', ({ idle }) => idle),
      ...(traffic[0]?.playing ?? []).map(({ moves }, i) =>
        group(rateName(moves), ({ idle, playing }) => playing[i]?.tally ?? idle),
      ),
    ],
  })
}

/** A table of all rungs: a row for each transport, a column for each number of players. Pure. */
const rungTable = (rungs: readonly Rung[], cell: (rung: Rung, reference: Rung | undefined) => string): string => {
  const levels = [...new Set(rungs.map(({ players }) => players))]
  const at = (row: Row, players: number) => rungs.find((rung) => rung.row === row && rung.players === players)
  return table(
    ['players', ...ROWS.map(({ title }) => title)],
    levels.map((players) => [
      fixed(players),
      ...ROWS.map((row) => {
        const rung = at(row, players)
        if (rung === undefined) return '–'
        return Number.isNaN(rung.p50) ? '⚠' : cell(rung, at(WEBSOCKET, players))
      }),
    ]),
  )
}

const ms = (value: number): string => fixed(value, value < 10 ? 1 : 0)

/** The section on latency. Pure. */
export const latencySection = (rungs: readonly Rung[]): string =>
  [
    'p50 / p99 in ms, and how many times WebSocket’s p50 at that number of players:',
    rungTable(rungs, (rung, reference) => {
      const ratio = reference === undefined ? '' : ` (${times(rung.p50, reference.p50)})`
      return `${ms(rung.p50)} / ${ms(rung.p99)}${ratio}${rung.flaw === null ? '' : ' ⚠'}`
    }),
    ...flaws(rungs),
  ].join('\n\n')

const flaws = (rungs: readonly Rung[]): string[] => {
  const flawed = rungs.filter(({ flaw }) => flaw !== null)
  if (flawed.length === 0) return []
  return [
    flawed.map(({ row, players, flaw }) => `⚠ ${row.title} with ${fixed(players)} players: ${flaw}.`).join('  \n'),
  ]
}

/** The section on CPU. Pure. */
export const cpuSection = (rungs: readonly Rung[]): string =>
  [
    'CPU of the server (all its threads) a player, in µs of each second, and how many times WebSocket’s:',
    rungTable(rungs, (rung, reference) => {
      const ratio = reference === undefined ? '' : ` (${times(cpuPerPlayer(rung), cpuPerPlayer(reference))})`
      return `${fixed(cpuPerPlayer(rung))}${ratio}`
    }),
    'How busy the server’s main thread was / how long it was ready and had no core / how busy the generator was, in % of the time:',
    rungTable(
      rungs,
      ({ main, waited, busy }) => `${fixed(main * 100)} / ${fixed(waited * 100)} / ${fixed(busy * 100)}`,
    ),
  ].join('\n\n')

/** µs of each second. */
const cpuPerPlayer = ({ cpu, players }: Rung): number => (cpu * 1_000_000) / players

const chartOf = (
  title: string,
  y: string,
  rungs: readonly Rung[],
  of: (rung: Rung) => number,
  bound?: { at: number; title: string },
) =>
  lineChart({
    title,
    x: 'players',
    y,
    series: ROWS.map((row) => ({
      title: row.title,
      points: rungs
        .filter((rung) => rung.row === row && of(rung) > 0)
        .map((rung) => ({ x: rung.players, y: of(rung) })),
    })),
    ...(bound === undefined ? {} : { bound }),
  })

export const p50Chart = (rungs: readonly Rung[]): string =>
  chartOf('From a move to its sight by the others: median', 'ms', rungs, ({ p50 }) => p50)

export const p99Chart = (rungs: readonly Rung[]): string =>
  chartOf('From a move to its sight by the others: 99 of 100', 'ms', rungs, ({ p99 }) => p99, {
    at: BOUND_MS,
    title: `${BOUND_MS} ms`,
  })

export const cpuChart = (rungs: readonly Rung[]): string =>
  chartOf('CPU of the server a player', 'µs of each second, all threads', rungs, cpuPerPlayer)

/** The largest number of players that a transport held; null for none. Pure. */
const held = (rungs: readonly Rung[], row: Row, bound: number): Rung | null =>
  rungs.findLast((rung) => rung.row === row && isHeld(rung, bound)) ?? null

/** Whether a transport held even the largest number with which it was measured. Pure. */
const isOpenEnded = (rungs: readonly Rung[], row: Row): boolean => {
  const last = rungs.findLast((rung) => rung.row === row)
  return last !== undefined && isHeld(last, ownBound(row))
}

/** The section on how many players one core holds. Pure. */
export const capacitySection = (rungs: readonly Rung[]): string => {
  const reference = held(rungs, WEBSOCKET, BOUND_MS)?.players ?? 0
  const least = (row: Row) => (isOpenEnded(rungs, row) ? 'at least ' : '')
  return table(
    [
      '',
      `players at p99 < ${BOUND_MS} ms`,
      'p99 bound of its own',
      'players at that',
      'to WebSocket',
      'main thread busy then',
    ],
    ROWS.map((row) => {
      const strict = held(rungs, row, BOUND_MS)
      const own = held(rungs, row, ownBound(row))
      return [
        row.title,
        strict === null ? '0' : `**${least(row)}${fixed(strict.players)}**`,
        `${fixed(ownBound(row))} ms`,
        own === null ? '0' : `**${least(row)}${fixed(own.players)}**`,
        own === null || reference === 0 ? '' : times(own.players, reference),
        own === null ? '' : `${fixed(own.main * 100)} %`,
      ]
    }),
  )
}

export const capacityChart = (rungs: readonly Rung[]): string => {
  const bars = (bound: (row: Row) => number) =>
    ROWS.map((row) => {
      const value = held(rungs, row, bound(row))?.players ?? 0
      return {
        title: row.title,
        value,
        label: `${value > 0 && isOpenEnded(rungs, row) ? 'at least ' : ''}${fixed(value)}`,
      }
    })
  return barChart({
    title: 'Players that one core of the server holds',
    unit: 'players',
    groups: [
      { title: `99 of 100 moves seen within ${BOUND_MS} ms`, bars: bars(() => BOUND_MS) },
      { title: `within the interval of polls + ${BOUND_MS} ms`, bars: bars(ownBound) },
    ],
  })
}

/** The section on memory. Pure. */
export const memorySection = (weights: readonly Weight[]): string => {
  const kib = (bytes: number) => `${fixed(bytes / 1_024, 1)} KiB`
  const reference = weights.find(({ row }) => row === WEBSOCKET)
  return table(
    ['', 'RSS', 'JS heap + external', 'to WebSocket (heap)'],
    weights.map(({ row, rss, live }) => [
      row.title,
      kib(rss),
      `**${kib(live)}**`,
      reference === undefined ? '' : times(live, reference.live),
    ]),
  )
}
