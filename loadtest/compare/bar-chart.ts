import { bar, drawing, inColour, text } from './svg.ts'

export interface BarChart {
  title: string
  /** What a bar's length is. */
  unit: string
  groups: readonly { title: string; bars: readonly Bar[] }[]
}

interface Bar {
  title: string
  value: number
  /** What stands at the bar's end. */
  label: string
}

const WIDTH = 720
const LEFT = 132
const RIGHT = 600
const TOP = 60
const BAR = 16
const STEP = 21
const GAP = 34

/** Returns the SVG of bars beside each other, from zero, all groups by one measure; the nth bar of a group is of the nth series. Pure. */
export const barChart = ({ title, unit, groups }: BarChart): string => {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)))
  const parts: string[] = []
  let y = TOP
  for (const group of groups) {
    parts.push(text(LEFT, y + 12, group.title))
    y += STEP
    for (const [series, { title: name, value, label }] of group.bars.entries()) {
      const width = most === 0 ? 0 : (value / most) * (RIGHT - LEFT)
      const own = inColour(series, [bar(LEFT, y, width, BAR), text(LEFT - 8, y + 12, name, 'own', 'end')])
      parts.push(own + text(LEFT + width + 8, y + 12, label))
      y += STEP
    }
    y += GAP - STEP
  }
  const said = groups.map(
    (group) => `${group.title}: ${group.bars.map((each) => `${each.title} ${each.label}`).join(', ')}`,
  )
  return drawing(WIDTH, y, title, said.join('. '), [
    text(16, 24, title, 'title'),
    text(16, 44, unit, 'quiet'),
    ...parts,
  ])
}
