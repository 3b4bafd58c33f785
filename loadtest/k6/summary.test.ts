import { expect, test } from 'vitest'
import { summaryOf } from './summary.ts'

const trend = { med: 1.24, 'p(95)': 3, 'p(99)': 4.06, max: 9, count: 70 }

test('a good run is told in counts and times', () => {
  const text = summaryOf({
    metrics: {
      joins: { values: { count: 18 }, thresholds: { 'count>0': { ok: true } } },
      games_finished: { values: { count: 9 } },
      move_to_ack: { values: trend },
      move_to_sight: { values: {} },
      errors: { values: { count: 0 }, thresholds: { 'count==0': { ok: true } } },
    },
  })
  expect(text).toMatch(/joins +18\n/)
  expect(text).toMatch(/games finished +9\n/)
  expect(text).toMatch(/move to ack +p50 1\.2 ms, p95 3\.0 ms, p99 4\.1 ms, max 9\.0 ms \(70\)\n/)
  expect(text).toMatch(/move to sight +not measured\n/)
  expect(text).toMatch(/errors +0\n/)
  expect(text).toMatch(/thresholds +all kept\n/)
})

test('errors are told by code, and what was crossed once each', () => {
  const text = summaryOf({
    metrics: {
      errors: { values: { count: 3 }, thresholds: { 'count==0': { ok: false } } },
      'errors{code:closed}': { values: { count: 2 }, thresholds: { 'count==0': { ok: false } } },
      'errors{code:stuck}': { values: { count: 0 }, thresholds: { 'count==0': { ok: true } } },
      'errors{code:illegal_move}': { values: { count: 1 }, thresholds: { 'count==0': { ok: false } } },
      move_to_ack: { values: trend, thresholds: { 'max>0': { ok: true }, 'p(95)<100': { ok: false } } },
    },
  })
  expect(text).toMatch(/errors +3, closed 2, illegal_move 1\n/)
  expect(text).toMatch(/thresholds +crossed: errors count==0, move_to_ack p\(95\)<100\n/)
})
