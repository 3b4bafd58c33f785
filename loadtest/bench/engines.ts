import { type Benchmark, fixed, median, quartiles, table, verdict } from './figures.ts'
import {
  latencyOf,
  medianOf,
  openPlaying,
  type Paced,
  type Plan,
  type Playing,
  playPaced,
  playRound,
  type Round,
} from './paced.ts'
import { startPrograms } from './programs.ts'

const FLAT = 1.15

/** One installation with so many engines, and the rounds that it played. */
interface Measured {
  engines: number
  playing: Playing
  /** At the rate of each engine times their number. */
  rounds: Round[]
  /** At the rate of the largest installation. */
  alike: Paced[]
}

/** Installations of one gateway, one nats-server with R1 and so many engines each, which play in turn. */
export const measureEngines = async (plan: Plan, counts: readonly number[]): Promise<Measured[]> => {
  const measured: Measured[] = []
  try {
    for (const engines of counts) {
      const programs = await startPrograms('jetstream-r1', engines)
      try {
        measured.push({ engines, playing: await openPlaying(programs, plan), rounds: [], alike: [] })
      } catch (error) {
        await programs.stop()
        throw error
      }
      console.log(`${engines} engines and ${plan.rooms} rooms are there`)
    }
    const most = plan.rate * Math.max(...counts)
    for (let n = 0; n < plan.rounds; n++)
      for (const { engines, playing, rounds, alike } of measured) {
        alike.push(await playPaced(playing, { ...plan, rate: most }))
        rounds.push(await playRound(playing, { ...plan, rate: plan.rate * engines }))
      }
  } finally {
    await Promise.all(measured.map(({ playing }) => playing.programs.stop()))
  }
  return measured
}

export const enginesText = (measured: readonly Measured[], plan: Plan): string => {
  const [alone] = measured
  const ratios = (of: (installation: Measured, n: number) => number | undefined) => (installation: Measured) =>
    installation.rounds.map((_, n) => (of(installation, n) ?? 0) / (of(alone ?? installation, n) ?? 0))
  const own = ratios(({ rounds }, n) => rounds[n]?.spent.engines)
  const sameLoad = ratios(({ alike }, n) => alike[n]?.spent.engines)
  const saturated = ratios(({ rounds }, n) => rounds[n]?.most)
  const flat = Math.max(...measured.map((installation) => median(own(installation))))
  const micros = (rounds: readonly Paced[], of: (round: Paced) => number) => `${fixed(medianOf(rounds, of))} µs`
  return [
    `${plan.rooms} rooms of \`bench\` with 8 connected players each, on one gateway, one nats-server with R1, and one to three engines, each a process of its own. The installations ` +
      `are all there at once and play in turn, ${plan.rounds} rounds of slices of ${fixed(plan.ms / 1_000, 1)} s: *as much for each engine*, ${fixed(plan.rate)} moves/s times the number of engines; *as much for all*, ` +
      `${fixed(plan.rate * Math.max(...measured.map(({ engines }) => engines)))} moves/s; and *saturated*, where each player sends the next move when the last one is answered. ` +
      'All of it and the generator share the machine’s cores, so that more engines cannot make more moves here; what can be seen is whether a move costs more. An engine that has fewer moves shares fewer wake-ups and appends among them, ' +
      'so that a move costs it more: it is the column with as much for each that tells. Medians of rounds; ratios are to one engine in the same round, with quartiles. *At rest* is what the processes take of a core without moves, which is in the CPU of a move too.',
    table(
      [
        'engines',
        'as much for each: p50 / p99 (ms)',
        'engines: CPU a move',
        '/ one engine’s',
        'gateway',
        'nats-server',
        'as much for all: engines',
        '/ one engine’s',
        'saturated',
        '/ one engine’s',
        'at rest: engines, gateway, NATS',
      ],
      measured.map((installation) => {
        const { engines, rounds, alike, playing } = installation
        const { idle } = playing
        return [
          String(engines),
          latencyOf(rounds, 'p50', 'p99'),
          micros(rounds, ({ spent }) => spent.engines),
          quartiles(own(installation)),
          micros(rounds, ({ spent }) => spent.gateways),
          micros(rounds, ({ nats }) => nats),
          micros(alike, ({ spent }) => spent.engines),
          quartiles(sameLoad(installation)),
          `${fixed(medianOf(rounds, ({ most }) => most))}/s`,
          quartiles(saturated(installation)),
          [idle.engines, idle.gateways, idle.nats].map((share) => `${fixed(share / 10_000, 1)} %`).join(', '),
        ]
      }),
    ),
    `Aim: with as much for each, CPU a move of the engines stays flat (within ${fixed((FLAT - 1) * 100)} %): ${verdict(flat <= FLAT)} (${fixed(flat, 2)}).`,
  ].join('\n\n')
}

export const engines: Benchmark = {
  name: 'engines',
  title: 'One, two and three engines',

  async run(quick) {
    const plan = quick ? { rooms: 8, rate: 100, rounds: 2, ms: 600 } : { rooms: 40, rate: 300, rounds: 4, ms: 2_000 }
    return enginesText(await measureEngines(plan, [1, 2, 3]), plan)
  },
}
