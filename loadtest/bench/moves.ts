import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fsyncs } from './disk.ts'
import { type Benchmark, fixed, percentile, sleep, sum, table, verdict } from './figures.ts'
import { type Load, openLoad, type Slice, startPair } from './load.ts'

/** A server that does not keep up is behind by this much within a slice; a machine that is busy elsewhere for a moment is not. */
const KNEE_P50_MS = 50
const P99_AIM_MS = 15
const CPU_AIM = 2
const STEP_UP = 1.4
const FIRST_RATE = 500
const LAST_RATE = 40_000

/** Several slices at one rate, as one. */
const together = (slices: readonly Slice[]): Slice => {
  const latencies = new Float64Array(sum(slices.map((slice) => slice.latencies.length)))
  let at = 0
  for (const slice of slices) {
    latencies.set(slice.latencies, at)
    at += slice.latencies.length
  }
  const of = (key: 'sent' | 'seen' | 'failed' | 'mainMicros' | 'otherMicros') => sum(slices.map((slice) => slice[key]))
  const busy = Math.max(...slices.map((slice) => slice.busy))
  const lag = Math.max(...slices.map((slice) => slice.lag))
  return {
    latencies,
    sent: of('sent'),
    seen: of('seen'),
    failed: of('failed'),
    mainMicros: of('mainMicros'),
    otherMicros: of('otherMicros'),
    waited: sum(slices.map((slice) => slice.waited)) / slices.length,
    busy,
    lag,
  }
}

const cpuOf = ({ mainMicros, otherMicros, seen }: Slice): number => (mainMicros + otherMicros) / seen

const isServed = (slice: Slice): boolean =>
  slice.failed === 0 && slice.seen === slice.sent && percentile(slice.latencies, 0.5) < KNEE_P50_MS

interface Rung {
  rate: number
  raw: Slice
  ours: Slice
}

/** Slices of both servers in turn, so that what else the machine does hits both. */
const rung = async (rate: number, rounds: number, ms: number, raw: Load, ours: Load): Promise<Rung> => {
  const slices: { raw: Slice[]; ours: Slice[] } = { raw: [], ours: [] }
  for (let round = 0; round < rounds; round++) {
    slices.raw.push(await raw.slice(rate, ms))
    slices.ours.push(await ours.slice(rate, ms))
  }
  return { rate, raw: together(slices.raw), ours: together(slices.ours) }
}

const row = ({ rate, raw, ours }: Rung): string[] => {
  const ms = (slice: Slice, share: number) => fixed(percentile(slice.latencies, share), 1)
  return [
    fixed(rate),
    `${ms(raw, 0.5)} / ${ms(raw, 0.99)}`,
    `${ms(ours, 0.5)} / ${ms(ours, 0.99)}`,
    `${fixed(cpuOf(raw))} µs`,
    `${fixed(ours.mainMicros / ours.seen)} + ${fixed(ours.otherMicros / ours.seen)} µs`,
    `**${fixed(cpuOf(ours) / cpuOf(raw), 2)}**`,
    `${fixed(raw.waited * 100)} / ${fixed(ours.waited * 100)} %`,
    `${fixed(raw.busy * 100)} / ${fixed(ours.busy * 100)} %`,
  ]
}

const HEAD = [
  'moves/s',
  'raw p50 / p99 (ms)',
  'Madang p50 / p99 (ms)',
  'raw CPU a move',
  'Madang CPU a move (main + other threads)',
  'Madang / raw',
  'ready but without a core (raw / Madang)',
  'generator busy (raw / Madang)',
]

/** The highest rate up to which a server, or the generator in front of it, keeps up. */
const ceiling = async (load: Load, from: number, ms: number): Promise<{ rate: number; busy: number }> => {
  let best = { rate: from, busy: 0 }
  for (let rate = from; rate <= LAST_RATE; rate = Math.round(rate * STEP_UP)) {
    const slice = await load.slice(rate, ms)
    if (!isServed(slice)) break
    best = { rate, busy: slice.busy }
  }
  return best
}

export const moves: Benchmark = {
  name: 'moves',
  title: 'Durable moves, from a move to everyone’s PATCH',

  async run(quick) {
    const disk = fsyncs(join(tmpdir(), `madang-bench-${process.pid}`), 1_000)
    const { raw, ours, stop } = await startPair()
    const rooms = quick ? 40 : 100
    const [rounds, ms] = quick ? [1, 1_000] : [2, 2_000]
    const ourLoad = await openLoad({ server: ours, rooms, raw: null })
    await ourLoad.slice(FIRST_RATE, 1_000)
    const rawLoad = await openLoad({ server: raw, rooms, raw: { patchBytes: ourLoad.patchBytes() } })
    await rawLoad.slice(FIRST_RATE, 1_000)

    const rungs: Rung[] = []
    for (let rate = FIRST_RATE; rate <= LAST_RATE; rate = Math.round(rate * STEP_UP)) {
      let made = await rung(rate, rounds, ms, rawLoad, ourLoad)
      // Once more, so that one moment of other work on the machine does not pass for the knee.
      if (!isServed(made.ours)) made = await rung(rate, rounds, ms, rawLoad, ourLoad)
      rungs.push(made)
      console.log(row(made).join('  '))
      if (!isServed(made.ours)) break
      await sleep(200)
    }
    const knee = rungs.findLast(({ ours }) => isServed(ours))?.rate ?? FIRST_RATE
    await sleep(1_000)
    const half = await rung(Math.round(knee / 2), rounds * 2, ms, rawLoad, ourLoad)
    const most = await ceiling(rawLoad, knee, ms)
    const patchBytes = ourLoad.patchBytes()
    await stop()

    const p99 = percentile(half.ours.latencies, 0.99)
    const ratio = cpuOf(half.ours) / cpuOf(half.raw)
    return [
      `${rooms} rooms of \`bench\` with 8 connected players each (${rooms * 8} connections), moves at a steady rate from players picked by chance. ` +
        'A latency runs from the time at which the move was to be sent to the arrival of the PATCH (or PATCHes) with it at the last of the eight; durability is ' +
        '`sqlite-full`: each move is on disk before anyone sees it. ' +
        `The raw relay takes the same MOVE frames, publishes ${fixed(patchBytes)} bytes (the mean PATCH of ours) to the room’s eight sockets, and answers ` +
        `with an OK. Both are measured in turn at each rate, ${rounds} slices of ${ms / 1_000} s. The generator sends once a millisecond, which is in all latencies. ` +
        `One write and fsync of 300 bytes alone took ${fixed(percentile(disk, 0.5), 2)} / ${fixed(percentile(disk, 0.99), 2)} ms (p50 / p99) just before.`,
      table(HEAD, rungs.map(row)),
      `**The knee** (the highest of these rates with a median below ${KNEE_P50_MS} ms and all moves seen by all): ${fixed(knee)} durable moves/s, which is ${fixed(knee * 9)} frames/s out. ` +
        `At half of it:`,
      table(HEAD, [row(half)]),
      `Aim: p99 below ${P99_AIM_MS} ms at half of the knee: ${verdict(p99 < P99_AIM_MS)} (${fixed(p99, 1)} ms). ` +
        `CPU per durable move at most ${CPU_AIM} times raw’s: ${verdict(ratio <= CPU_AIM)} (${fixed(ratio, 2)}).`,
      `The generator is one Node process and shares the machine’s cores with the server. Its own ceiling: with the raw relay as its server ` +
        `it kept up to ${fixed(most.rate)} moves/s (its event loop was ${fixed(most.busy * 100)} % busy there).`,
    ].join('\n\n')
  },
}
