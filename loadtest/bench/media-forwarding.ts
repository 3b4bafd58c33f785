import { fixed, median, percentile, sleep, table, verdict } from './figures.ts'
import { bareCrowd, type Crowd, type CrowdShape, seatedTable } from './media-room.ts'
import { type StreamShape, VIDEO_500 } from './media-rtp.ts'
import { droppedAt, monotonicMs, speak } from './media-traffic.ts'
import { cpuOf, type Server } from './server.ts'

const AIM = 0.97
/** A day that no benchmark sees the end of. */
const PHASES = { night: 0.2, day: 3_600 }
/** What is under way when the mouths are shut. */
const DRAIN_MS = 200

export interface Slice {
  arrived: number
  expected: number
  seconds: number
  workerMicros: number
}

/** CPU of a process so far, µs, all its threads. */
export const cpuMicros = (pid: number): number => {
  const { main, others } = cpuOf(pid)
  return main + others
}

/** One slice of what the crowds send. */
export const sliceOf = async (crowds: readonly Crowd[], worker: number, ms: number): Promise<Slice> => {
  const count = () => ({
    arrived: crowds.reduce((total, { ears }) => total + ears.reduce((sum, { packets }) => sum + packets, 0), 0),
    dropped: droppedAt(crowds.flatMap(({ ears }) => ears)),
    expected: crowds.reduce((total, crowd) => total + crowd.expected(), 0),
    cpu: cpuMicros(worker),
  })
  const before = count()
  const began = monotonicMs()
  const end = speak(crowds.flatMap(({ mouths }) => mouths))
  await sleep(ms)
  end()
  const seconds = (monotonicMs() - began) / 1_000
  await sleep(DRAIN_MS)
  const after = count()
  return {
    // What the generator had no core to read was forwarded all the same.
    arrived: after.arrived - before.arrived + after.dropped - before.dropped,
    expected: after.expected - before.expected,
    seconds,
    workerMicros: after.cpu - before.cpu,
  }
}

export const sumOf = (slices: readonly Slice[], key: keyof Slice): number =>
  slices.reduce((total, slice) => total + slice[key], 0)
const microsOf = ({ workerMicros, arrived }: Slice): number => workerMicros / arrived

/** Slices of both in turn, the first of each thrown away; who begins changes each time. */
export const inTurn = async (
  pair: { bare: () => Promise<Slice>; ours: () => Promise<Slice> },
  rounds: number,
): Promise<{ bare: Slice[]; ours: Slice[] }> => {
  const slices: { bare: Slice[]; ours: Slice[] } = { bare: [], ours: [] }
  for (let round = 0; round <= rounds; round++)
    for (const which of round % 2 === 0 ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const)) {
      const slice = await pair[which]()
      if (round > 0) slices[which].push(slice)
    }
  return slices
}

export interface Ratio {
  median: number
  low: number
  high: number
}

/** Packets per CPU second of ours, of bare mediasoup's in the same round. */
export const ratioOf = ({ bare, ours }: { bare: readonly Slice[]; ours: readonly Slice[] }): Ratio => {
  const ratios = Float64Array.from(bare, (slice, round) => {
    const own = ours[round]
    return own === undefined ? 0 : microsOf(slice) / microsOf(own)
  })
  return { median: percentile(ratios, 0.5), low: percentile(ratios, 0.25), high: percentile(ratios, 0.75) }
}

export interface ForwardingPlan {
  shapes: readonly Omit<CrowdShape, 'streams'>[]
  rounds: number
  ms: number
}

export interface Servers {
  bare: Server
  ours: Server
}

/** The only worker of a server, once it is up. */
export const workerOf = async (server: Server): Promise<number> => {
  const [pid] = await server.ask<number[]>('workers')
  if (pid === undefined) throw new Error('no media worker is up')
  return pid
}

const consumersOf = ({ players, spectators }: Omit<CrowdShape, 'streams'>): number =>
  players * (players - 1 + spectators)

/** What it takes to forward, at several sizes of a room. */
export const measureForwarding = async ({ bare, ours }: Servers, { shapes, rounds, ms }: ForwardingPlan) => {
  const measured = []
  for (const size of shapes) {
    const shape = { ...size, streams: [VIDEO_500] as readonly StreamShape[] }
    const crowds = { bare: await bareCrowd(bare, shape), ours: await seatedTable(ours, shape, PHASES) }
    const workers = { bare: await workerOf(bare), ours: await workerOf(ours) }
    const slices = await inTurn(
      {
        bare: () => sliceOf([crowds.bare], workers.bare, ms),
        ours: () => sliceOf([crowds.ours], workers.ours, ms),
      },
      rounds,
    )
    for (const crowd of Object.values(crowds)) crowd.close()
    measured.push({ consumers: consumersOf(size), ...slices, ratio: ratioOf(slices) })
  }
  return measured
}

export const forwardingText = (
  measured: Awaited<ReturnType<typeof measureForwarding>>,
  { rounds, ms }: ForwardingPlan,
): string => {
  const lossOf = (slices: readonly Slice[]) =>
    `${fixed(100 * Math.max(0, 1 - sumOf(slices, 'arrived') / sumOf(slices, 'expected')), 2)} %`
  const perCore = (slices: readonly Slice[]) => 1e6 / median(slices.map(microsOf)) / VIDEO_500.perSecond
  const rows = measured.map(({ consumers, bare, ours, ratio }) => [
    fixed(consumers),
    `${fixed(sumOf(ours, 'arrived') / sumOf(ours, 'seconds'))}/s`,
    `${fixed(median(bare.map(microsOf)), 1)} µs`,
    `${fixed(median(ours.map(microsOf)), 1)} µs`,
    `**${fixed(ratio.median, 3)}** (${fixed(ratio.low, 2)}–${fixed(ratio.high, 2)})`,
    `${lossOf(bare)} / ${lossOf(ours)}`,
    `${fixed(perCore(bare))} / ${fixed(perCore(ours))}`,
  ])
  const worst = Math.min(...measured.map(({ ratio }) => ratio.median))
  return [
    '### Forwarding',
    `A room of \`mafia\` by day, whose players send 500 kbit/s of video each (${VIDEO_500.perSecond} packets of ${fixed(VIDEO_500.bytes)} bytes a second) to all others and, in the larger ` +
      'rooms, to spectators; and the same senders and receivers over mediasoup alone: the same worker program, codecs and transports, without our node. ' +
      `Both in turn, ${rounds} rounds of ${fixed(ms / 1_000, 1)} s each; CPU is the worker process’s. The ratio is that of packets per CPU second within a round: median and quartiles of the rounds. ` +
      'Loss is what did not come to the receivers’ sockets. *Per core* is what the CPU of a packet makes of a whole core.',
    table(
      [
        'consumers',
        'packets out',
        'bare: CPU a packet',
        'Madang: CPU a packet',
        'Madang / bare',
        'loss (bare / Madang)',
        'consumers per core (bare / Madang)',
      ],
      rows,
    ),
    `Aim: at least ${AIM} of bare mediasoup: ${verdict(worst >= AIM)}.`,
  ].join('\n\n')
}
