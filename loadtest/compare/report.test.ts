import { expect, test } from 'vitest'
import { aimsSection } from './aims.ts'
import type { Traffic } from './bytes.ts'
import type { Rung } from './ladder.ts'
import { capacitySection, cpuSection, latencySection, rateName, trafficSection } from './report.ts'
import type { Tally } from './tally.ts'
import { LONG_POLLING, POLLING_250, POLLING_1000, ROWS, type Row, SSE, WEBSOCKET } from './transports.ts'

const tally = (bytesUp: number, bytesDown: number): Tally => ({
  connections: 1,
  messagesUp: 60,
  bytesUp,
  messagesDown: 59.5,
  bytesDown,
})

const traffic = (row: Row, idle: number, playing: number): Traffic => ({
  row,
  opening: tally(1, 2),
  idle: tally(idle - 1, 1),
  playing: [{ moves: 0.5, tally: tally(1, playing - 1) }],
})

const TRAFFIC = ROWS.map((row) => traffic(row, row === WEBSOCKET ? 200 : 20_000, row === WEBSOCKET ? 3_000 : 29_000))

const rung = (row: Row, players: number, p50: number, p99: number, more: Partial<Rung> = {}): Rung => ({
  ...{ row, players, p50, p99, main: 0.25, cpu: 0.4, waited: 0.01, busy: 0.1, flaw: null },
  ...more,
})

const RUNGS = [
  rung(WEBSOCKET, 80, 4, 9),
  rung(SSE, 80, 6, 12),
  rung(LONG_POLLING, 80, 9, 20),
  rung(POLLING_250, 80, 140, 300),
  rung(POLLING_1000, 80, 500, 990),
  // The machine was busy elsewhere: what holds more players holds these.
  rung(WEBSOCKET, 800, 5, 130),
  rung(SSE, 800, 8, 101),
  rung(LONG_POLLING, 800, 60, 40, { flaw: '3 of 9 moves were not seen by all' }),
  rung(POLLING_250, 800, 150, 340),
  rung(POLLING_1000, 800, 520, 1_101),
  rung(WEBSOCKET, 8_000, 5, 99),
  rung(POLLING_250, 8_000, 150, 351),
]

const rowOf = (section: string, title: string): string[] =>
  (section.split('\n').find((line) => line.startsWith(`| ${title} |`)) ?? '').split('|').map((cell) => cell.trim())

test('a row of traffic says messages and bytes each way, their sum, and how many times WebSocket’s that is', () => {
  const idle = trafficSection(TRAFFIC).split('**Idle**')[1] ?? ''
  expect(rowOf(idle, 'polling, 1 s').slice(1, -1)).toEqual([
    'polling, 1 s',
    '60.0',
    '19,999',
    '59.5',
    '1',
    '**20,000**',
    '× 100',
    '1.0',
  ])
  expect(rowOf(idle, 'WebSocket')).toContain('× 1.0')
})

test('what is played is said as a game is: how often one moves, and how many moves one sees', () => {
  expect(rateName(0.5)).toBe('a move every 2 s and room')
  expect(rateName(1)).toBe('a move a second and room')
  expect(rateName(4)).toBe('4 moves a second and room')
  expect(trafficSection(TRAFFIC)).toContain('each moves 3.8 times and sees 30 moves')
})

test('latencies are held against WebSocket’s at the same number of players; what was not measured is a dash, what was lost is said', () => {
  const section = latencySection(RUNGS)
  expect(rowOf(section, '80').slice(1, -1)).toEqual([
    ...['80', '4.0 / 9.0 (× 1.0)', '6.0 / 12 (× 1.5)', '9.0 / 20 (× 2.3)', '140 / 300 (× 35)', '500 / 990 (× 125)'],
  ])
  expect(rowOf(section, '8,000')).toContain('–')
  expect(rowOf(section, '800')).toContain('60 / 40 (× 12) ⚠')
  expect(section).toContain('⚠ long polling with 800 players: 3 of 9 moves were not seen by all.')
})

test('CPU is that of a player and second', () => {
  expect(rowOf(cpuSection(RUNGS), '800')).toContain('500 (× 1.0)')
})

test('a transport holds as many players as at the highest level at which it was fast enough and lost nothing; one that held the last level holds at least that', () => {
  const section = capacitySection(RUNGS)
  expect(rowOf(section, 'WebSocket').slice(2, 6)).toEqual([
    '**at least 8,000**',
    '100 ms',
    '**at least 8,000**',
    '× 1.0',
  ])
  expect(rowOf(section, 'SSE').slice(2, 5)).toEqual(['**80**', '100 ms', '**80**'])
  // Fast enough, but moves were lost.
  expect(rowOf(section, 'long polling').slice(2, 5)).toEqual(['**80**', '100 ms', '**80**'])
  expect(rowOf(section, 'polling, 250 ms').slice(2, 5)).toEqual(['0', '350 ms', '**800**'])
  expect(rowOf(section, 'polling, 1 s').slice(2, 5)).toEqual(['0', '1,100 ms', '**80**'])
})

test('each aim is said to be met or missed with its figure; latencies by the median over what both transports held', () => {
  const aims = aimsSection(TRAFFIC, RUNGS)
  expect(aims).toContain('than polling at 1 s, idle: met (100.0 times)')
  expect(aims).toContain('a move every 2 s and room: **missed** (9.7 times)')
  // What polling did with 800 players does not count: it did not hold them.
  expect(aims).toContain('WebSocket takes at most a tenth of the latency of polling at 1 s (p50): met (0.008 times)')
  expect(aims).toContain('SSE takes at most twice WebSocket’s p50 on loopback: met (1.50 times)')
  expect(aims).toContain('long polling takes at most twice WebSocket’s p50 on loopback: **missed** (2.25 times)')
  const slow = RUNGS.map((each) => (each.row === WEBSOCKET ? { ...each, p50: 51 } : each))
  expect(aimsSection(TRAFFIC, slow)).toContain('(p50): **missed** (0.102 times)')
})
