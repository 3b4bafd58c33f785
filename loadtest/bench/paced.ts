import { fixed, median, percentile, sleep } from './figures.ts'
import { type Load, openLoad } from './load.ts'
import { type Programs, type Spent, spentBetween } from './programs.ts'

/** How many rooms of eight players play, at which rate, and for how long. */
export interface Plan {
  rooms: number
  /** Moves a second, of all together. */
  rate: number
  rounds: number
  ms: number
}

/** What a slice at a steady rate showed of one installation. */
export interface Paced {
  /** Latencies at the rate, ms. */
  p50: number
  p99: number
  /** CPU of a move at the rate, µs. */
  madang: number
  nats: number
  spent: Spent
  /** Moves of the rate that not all eight players of their room saw in time, or that were refused. */
  unseen: number
}

/** The same, and what players showed who each sent one move after another. */
export interface Round extends Paced {
  /** Moves a second when saturated, and their latency. */
  most: number
  mostP50: number
  mostP99: number
}

/** An installation with rooms in play. */
export interface Playing {
  programs: Programs
  load: Load
  /** CPU in a second without moves, µs. */
  idle: Spent
}

const REST_MS = 2_000

export const openPlaying = async (programs: Programs, { rooms, rate }: Plan): Promise<Playing> => {
  const load = await openLoad({ server: programs, rooms, raw: null })
  await load.slice(rate, 1_000)
  await load.saturate(1_000)
  const before = programs.spent()
  await sleep(REST_MS)
  const { gateways, engines, nats } = spentBetween(before, programs.spent())
  const aSecond = 1_000 / REST_MS
  return { programs, load, idle: { gateways: gateways * aSecond, engines: engines * aSecond, nats: nats * aSecond } }
}

export const playPaced = async ({ programs, load }: Playing, { rate, ms }: Plan): Promise<Paced> => {
  const before = programs.spent()
  const slice = await load.slice(rate, ms)
  const total = spentBetween(before, programs.spent())
  const spent = {
    gateways: total.gateways / slice.seen,
    engines: total.engines / slice.seen,
    nats: total.nats / slice.seen,
  }
  return {
    p50: percentile(slice.latencies, 0.5),
    p99: percentile(slice.latencies, 0.99),
    madang: spent.gateways + spent.engines,
    nats: spent.nats,
    spent,
    unseen: slice.sent - slice.seen,
  }
}

export const playRound = async (playing: Playing, plan: Plan): Promise<Round> => {
  const paced = await playPaced(playing, plan)
  const most = await playing.load.saturate(plan.ms)
  if (most.failed > 0) throw new Error(`${most.failed} moves were refused while players sent one after another`)
  return {
    ...paced,
    most: most.rate,
    mostP50: percentile(most.latencies, 0.5),
    mostP99: percentile(most.latencies, 0.99),
  }
}

/** `median of p50s / median of p99s`, in ms. */
export const latencyOf = <Key extends string>(rounds: readonly Record<Key, number>[], p50: Key, p99: Key): string =>
  `${fixed(median(rounds.map((round) => round[p50])), 1)} / ${fixed(median(rounds.map((round) => round[p99])), 1)}`

export const medianOf = <R extends Paced>(rounds: readonly R[], what: (round: R) => number): number =>
  median(rounds.map(what))
