import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fsyncs } from './disk.ts'
import { type Benchmark, fixed, percentile, quartiles, sum, table } from './figures.ts'
import { latencyOf, medianOf, openPlaying, type Plan, type Playing, playRound, type Round } from './paced.ts'
import { LEVELS, type Level, startPrograms } from './programs.ts'

/** One level's rounds, with those of `memory` that were played in turn with them. */
interface Measured {
  level: Level
  idle: Playing['idle']
  rounds: Round[]
  beside: Round[]
}

/** Each level but `memory` itself beside `memory`: both have rooms in play, and play in turn. */
export const measureDurability = async (plan: Plan, levels: readonly Level[] = LEVELS): Promise<Measured[]> => {
  const memory = await openPlaying(await startPrograms('memory'), plan)
  const measured: Measured[] = []
  try {
    for (const level of levels) {
      if (level === 'memory') continue
      const programs = await startPrograms(level)
      try {
        const playing = await openPlaying(programs, plan)
        const rounds: Round[] = []
        const beside: Round[] = []
        for (let n = 0; n < plan.rounds; n++) {
          beside.push(await playRound(memory, plan))
          rounds.push(await playRound(playing, plan))
        }
        measured.push({ level, idle: playing.idle, rounds, beside })
        console.log(rowOf({ level, idle: playing.idle, rounds, beside }).join('  '))
      } finally {
        await programs.stop()
      }
    }
  } finally {
    await memory.programs.stop()
  }
  const own = measured.flatMap(({ beside }) => beside)
  return [{ level: 'memory', idle: memory.idle, rounds: own, beside: own }, ...measured]
}

const ratios = ({ rounds, beside }: Measured, of: (round: Round) => number): string =>
  quartiles(rounds.map((round, n) => of(round) / of(beside[n] ?? round)))

const rowOf = (measured: Measured): string[] => {
  const { level, idle, rounds } = measured
  const isReference = level === 'memory'
  const { gateways, engines } = {
    gateways: medianOf(rounds, ({ spent }) => spent.gateways),
    engines: medianOf(rounds, ({ spent }) => spent.engines),
  }
  return [
    `\`${level}\``,
    latencyOf(rounds, 'p50', 'p99'),
    gateways === 0 ? `${fixed(engines)} µs` : `${fixed(gateways)} + ${fixed(engines)} µs`,
    level.startsWith('jetstream') ? `${fixed(medianOf(rounds, ({ nats }) => nats))} µs` : '–',
    isReference ? '1' : ratios(measured, ({ madang, nats }) => madang + nats),
    `${fixed((idle.gateways + idle.engines) / 10_000, 1)} + ${fixed(idle.nats / 10_000, 1)} %`,
    `${fixed(medianOf(rounds, ({ most }) => most))}/s`,
    isReference ? '1' : ratios(measured, ({ most }) => most),
    latencyOf(rounds, 'mostP50', 'mostP99'),
  ]
}

export const durabilityText = (measured: readonly Measured[], plan: Plan, disk: Float64Array): string => {
  const unseen = sum(measured.flatMap(({ rounds }) => rounds.map((round) => round.unseen)))
  return [
    `${plan.rooms} rooms of \`bench\` with 8 connected players each. *At ${fixed(plan.rate)} moves/s*: at a steady rate, from players picked by chance. *Saturated*: each of the ` +
      `${plan.rooms * 8} players sends the next move when the last one is answered. A latency ends when the last of a room’s eight players has seen the move. \`memory\` and ` +
      '`sqlite-full` are one process with all roles; the others one gateway, one engine and one or three nats-servers, each a process of its own (*CPU a move*: gateway + engine). ' +
      `Each level is played in turn with \`memory\`, ${plan.rounds} rounds of ${fixed(plan.ms / 1_000, 1)} s of each kind; figures are medians of rounds, ratios medians and quartiles of what a round ` +
      'and `memory`’s just before it make. *At rest* is what the processes take of a core without moves, Madang’s + NATS’s: it is in the CPU of a move too. ' +
      `One write and fsync of 300 bytes alone took ${fixed(percentile(disk, 0.5), 2)} / ${fixed(percentile(disk, 0.99), 2)} ms (p50 / p99) just before.`,
    table(
      [
        'level',
        `at ${fixed(plan.rate)}/s: p50 / p99 (ms)`,
        'CPU a move: Madang',
        'nats-server',
        'all CPU / `memory`’s',
        'at rest',
        'saturated',
        '/ `memory`’s',
        'p50 / p99 then (ms)',
      ],
      measured.map(rowOf),
    ),
    `${unseen === 0 ? 'All' : `All but ${fixed(unseen)}`} of the moves at the steady rate were seen by all. Three nats-servers on one disk sync in turn, and generator, gateway, engine and up to three ` +
      'servers share the cores: saturated is where this machine ends, not where a level does on machines of its own.',
  ].join('\n\n')
}

export const durability: Benchmark = {
  name: 'durability',
  title: 'Durable moves by level of durability',

  async run(quick) {
    const disk = fsyncs(join(tmpdir(), `madang-bench-${process.pid}`), 1_000)
    const plan = quick ? { rooms: 8, rate: 200, rounds: 2, ms: 600 } : { rooms: 50, rate: 500, rounds: 5, ms: 2_000 }
    return durabilityText(await measureDurability(plan), plan, disk)
  },
}
