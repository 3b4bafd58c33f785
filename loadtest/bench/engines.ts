import { type Benchmark, fixed, median, quartiles, table } from './figures.ts'
import { latencyOf, medianOf, openPlaying, type Plan, type Playing, playRound, type Round } from './paced.ts'
import { startPrograms } from './programs.ts'

const FLAT = 1.15

/** One installation with so many engines, and the rounds that it played. */
interface Measured {
  engines: number
  playing: Playing
  rounds: Round[]
}

/** Installations of one gateway, one nats-server with R1 and so many engines each, which play in turn. */
export const measureEngines = async (plan: Plan, counts: readonly number[]): Promise<Measured[]> => {
  const measured: Measured[] = []
  try {
    for (const engines of counts) {
      const programs = await startPrograms('jetstream-r1', engines)
      try {
        measured.push({ engines, playing: await openPlaying(programs, plan), rounds: [] })
      } catch (error) {
        await programs.stop()
        throw error
      }
      console.log(`${engines} engines and ${plan.rooms} rooms are there`)
    }
    for (let n = 0; n < plan.rounds; n++)
      for (const { playing, rounds } of measured) rounds.push(await playRound(playing, plan))
  } finally {
    await Promise.all(measured.map(({ playing }) => playing.programs.stop()))
  }
  return measured
}

const all = ({ madang, nats }: Round): number => madang + nats

export const enginesText = (measured: readonly Measured[], plan: Plan): string => {
  const [alone] = measured
  const ratios = (rounds: readonly Round[], of: (round: Round) => number) =>
    rounds.map((round, n) => of(round) / of(alone?.rounds[n] ?? round))
  const flat = Math.max(...measured.map(({ rounds }) => median(ratios(rounds, ({ spent }) => spent.engines))))
  return [
    `${plan.rooms} rooms of \`bench\` with 8 connected players each, on one gateway, one nats-server with R1, and one to three engines, each a process of its own. The installations ` +
      `are all there at once and play in turn, ${plan.rounds} rounds of ${fixed(plan.ms / 1_000, 1)} s at ${fixed(plan.rate)} moves/s and as long saturated (each player sends the next move when the last one is answered). ` +
      'All of it and the generator share the machine’s cores, so that more engines cannot make more moves here; what can be seen is whether a move costs more. ' +
      'Medians of rounds; ratios are to one engine in the same round, with quartiles. *At rest* is what the processes take of a core without moves, which is in the CPU of a move too.',
    table(
      [
        'engines',
        'p50 / p99 (ms)',
        'engines: CPU a move',
        '/ one engine’s',
        'gateway',
        'nats-server',
        'all / one engine’s',
        'saturated',
        '/ one engine’s',
        'at rest: engines, gateway, NATS',
      ],
      measured.map(({ engines, rounds, playing: { idle } }) => [
        String(engines),
        latencyOf(rounds, 'p50', 'p99'),
        `${fixed(medianOf(rounds, ({ spent }) => spent.engines))} µs`,
        quartiles(ratios(rounds, ({ spent }) => spent.engines)),
        `${fixed(medianOf(rounds, ({ spent }) => spent.gateways))} µs`,
        `${fixed(medianOf(rounds, ({ nats }) => nats))} µs`,
        quartiles(ratios(rounds, all)),
        `${fixed(medianOf(rounds, ({ most }) => most))}/s`,
        quartiles(ratios(rounds, ({ most }) => most)),
        [idle.engines, idle.gateways, idle.nats].map((micros) => `${fixed(micros / 10_000, 1)} %`).join(', '),
      ]),
    ),
    `Aim: CPU a move of all engines stays flat (within ${fixed((FLAT - 1) * 100)} %): ${flat <= FLAT ? 'met' : '**missed**'} (${fixed(flat, 2)}).`,
  ].join('\n\n')
}

export const engines: Benchmark = {
  name: 'engines',
  title: 'One, two and three engines',

  async run(quick) {
    const plan = quick ? { rooms: 8, rate: 200, rounds: 2, ms: 600 } : { rooms: 40, rate: 600, rounds: 6, ms: 2_000 }
    return enginesText(await measureEngines(plan, [1, 2, 3]), plan)
  },
}
