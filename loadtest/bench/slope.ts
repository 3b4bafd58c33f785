import type { Memory } from './probe.ts'

/** The memory of a server with so many connections. */
export interface Point {
  connections: number
  memory: Memory
}

/** Bytes per connection: the slope of the line that fits the points best. */
export const slope = (points: readonly Point[], of: (memory: Memory) => number): number => {
  const mean = (f: (point: Point) => number) => points.reduce((total, point) => total + f(point), 0) / points.length
  const [x, y] = [mean(({ connections }) => connections), mean(({ memory }) => of(memory))]
  const above = mean((p) => (p.connections - x) * (of(p.memory) - y))
  return above / mean((p) => (p.connections - x) ** 2)
}
