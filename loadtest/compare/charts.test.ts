import { expect, test } from 'vitest'
import { barChart } from './bar-chart.ts'
import { lineChart, spread, ticks } from './line-chart.ts'

const numbers = (svg: string, pattern: RegExp): number[] => [...svg.matchAll(pattern)].map((match) => Number(match[1]))

test.for([
  [3, 140, [2, 5, 10, 20, 50, 100, 200]],
  [1, 10, [1, 2, 5, 10]],
  [80, 9_600, [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]],
  [0.03, 0.2, [0.02, 0.05, 0.1, 0.2]],
  [7, 7, [5, 10]],
] as const)('an axis from %d to %d has round numbers around it', ([from, to, all]) => {
  expect(ticks(from, to)).toEqual(all)
})

test('labels of lines that end close to each other do not lie on each other', () => {
  expect(spread([100, 40, 102, 300])).toEqual([100, 40, 115, 300])
})

test('ten times as much is equally far on an axis wherever it begins, more is higher, and all points lie within the axes', () => {
  const points = [1, 10, 100].map((n) => ({ x: n * 8, y: n }))
  const svg = lineChart({ title: 'T', x: 'players', y: 'ms', series: [{ title: 'one', points }] })
  const xs = numbers(svg, /<circle cx="([\d.]+)"/g)
  const ys = numbers(svg, /<circle cx="[\d.]+" cy="([\d.]+)"/g)
  expect(xs).toHaveLength(3)
  expect((xs[1] ?? 0) - (xs[0] ?? 0)).toBeCloseTo((xs[2] ?? 0) - (xs[1] ?? 0), 0)
  expect(ys[0]).toBeGreaterThan(ys[1] ?? 0)
  expect(ys[1]).toBeGreaterThan(ys[2] ?? 0)
  for (const x of xs) expect(x).toBeGreaterThanOrEqual(64)
  for (const x of xs) expect(x).toBeLessThanOrEqual(560)
})

test('a series keeps its colour and mark where one before it has no points', () => {
  const points = [{ x: 8, y: 5 }]
  const svg = lineChart({
    title: 'T',
    x: 'x',
    y: 'y',
    series: [
      { title: 'none', points: [] },
      { title: 'some', points },
    ],
  })
  expect(svg).not.toContain('>none<')
  expect(svg).toMatch(/<g class="s1">.*>some<\/text><\/g>/)
})

test('a bar is as long as its value, zero is a hair, and each says its figure', () => {
  const bars = [30, 60, 0].map((value, i) => ({ title: `t${i}`, value, label: `${value} B` }))
  const svg = barChart({ title: 'Bytes', unit: 'B', groups: [{ title: 'idle', bars }] })
  const widths = numbers(svg, /<rect x=[^>]*? width="([\d.]+)"/g)
  expect(widths).toHaveLength(3)
  expect((widths[1] ?? 0) / (widths[0] ?? 1)).toBeCloseTo(2, 1)
  expect(widths[2]).toBe(1)
  for (const label of ['30 B', '60 B', '0 B']) expect(svg).toContain(`>${label}<`)
})

test('a drawing says itself in words, has colours for dark pages, and writes out what XML gives a meaning', () => {
  const svg = barChart({
    title: 'a < b & "c"',
    unit: 'B',
    groups: [{ title: 'g', bars: [{ title: 't', value: 1, label: '1' }] }],
  })
  expect(svg).toContain('<title>a &lt; b &amp; &quot;c&quot;</title>')
  expect(svg).toContain('<desc>g: t 1</desc>')
  expect(svg).toContain('prefers-color-scheme:dark')
})
