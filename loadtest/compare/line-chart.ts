import { drawing, inColour, line, mark, path, text } from './svg.ts'

export interface LineChart {
  title: string
  x: string
  y: string
  series: readonly { title: string; points: readonly { x: number; y: number }[] }[]
  /** A line across, at a value of y. */
  bound?: { at: number; title: string }
}

const WIDTH = 720
const HEIGHT = 400
const LEFT = 64
const RIGHT = 560
const TOP = 56
const BOTTOM = 340
const LABEL_HEIGHT = 15

/** The round numbers 1, 2 and 5 times a power of ten from the one below `from` to the one above `to`. Pure. */
export const ticks = (from: number, to: number): number[] => {
  const all: number[] = []
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++)
    for (const digit of [1, 2, 5]) all.push(Number((digit * 10 ** power).toPrecision(1)))
  const first = all.findLastIndex((tick) => tick <= from)
  const last = all.findIndex((tick) => tick >= to)
  return all.slice(Math.max(0, first), last + 1)
}

/** Moves labels down until none lies on another; they come back in the order in which they went in. Pure. */
export const spread = (places: readonly number[]): number[] => {
  const moved = [...places]
  const order = places.map((_, i) => i).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0))
  let free = Number.NEGATIVE_INFINITY
  for (const i of order) {
    moved[i] = Math.max(free, places[i] ?? 0)
    free = (moved[i] ?? 0) + LABEL_HEIGHT
  }
  return moved
}

/** Returns the SVG of lines over axes that both count in powers of ten. Pure. Values must be above 0. */
export const lineChart = ({ title, x, y, series, bound }: LineChart): string => {
  const points = series.flatMap((each) => each.points)
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)]
  const [xTicks, yTicks] = [ticksOf(xs), ticksOf(bound === undefined ? ys : [...ys, bound.at])]
  const across = scale(xTicks, LEFT, RIGHT)
  const up = scale(yTicks, BOTTOM, TOP)
  const lines = series.filter((each) => each.points.length > 0)
  const labels = spread(lines.map((each) => up(each.points.at(-1)?.y ?? 1)))
  return drawing(WIDTH, HEIGHT, title, `${y} over ${x}: ${series.map((each) => each.title).join(', ')}`, [
    text(LEFT, 24, title, 'title'),
    text(LEFT, 44, y, 'quiet'),
    ...yTicks.map(
      (tick) =>
        line(LEFT, up(tick), RIGHT, up(tick), 'grid') + text(LEFT - 8, up(tick) + 4, said(tick), 'quiet', 'end'),
    ),
    ...xTicks.map(
      (tick) =>
        line(across(tick), BOTTOM, across(tick), BOTTOM + 5, 'grid') +
        text(across(tick), BOTTOM + 20, said(tick), 'quiet', 'middle'),
    ),
    text((LEFT + RIGHT) / 2, BOTTOM + 44, x, 'quiet', 'middle'),
    ...(bound === undefined
      ? []
      : [
          line(LEFT, up(bound.at), RIGHT, up(bound.at), 'bound'),
          text(LEFT + 6, up(bound.at) - 5, bound.title, 'quiet'),
        ]),
    ...lines.map((each, i) => {
      const places = each.points.map((point) => [across(point.x), up(point.y)] as const)
      const [endX] = places.at(-1) ?? [RIGHT]
      const index = series.indexOf(each)
      const label = labels[i] ?? 0
      return inColour(index, [
        path(places),
        ...places.map(([px, py]) => mark(index, px, py)),
        ...(RIGHT - endX > 40 ? [line(endX + 8, up(each.points.at(-1)?.y ?? 1), RIGHT + 4, label, 'grid')] : []),
        text(RIGHT + 10, label + 4, each.title, 'own'),
      ])
    }),
  ])
}

const ticksOf = (values: readonly number[]): number[] => ticks(Math.min(...values), Math.max(...values))

/** Places values of a logarithmic axis between two ends. */
const scale = (all: readonly number[], from: number, to: number): ((value: number) => number) => {
  const [low, high] = [Math.log(all[0] ?? 1), Math.log(all.at(-1) ?? 10)]
  return (value) => from + ((Math.log(value) - low) / (high - low || 1)) * (to - from)
}

const said = (tick: number): string => tick.toLocaleString('en-GB', { maximumSignificantDigits: 2 })
