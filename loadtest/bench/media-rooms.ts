import { readFileSync } from 'node:fs'
import { fixed, sleep, table } from './figures.ts'
import { inTurn, ratioOf, type Servers, type Slice, sliceOf, sumOf, workerOf } from './media-forwarding.ts'
import { bareCrowd, type Crowd, seatedTable } from './media-room.ts'
import { AUDIO_40, VIDEO_300 } from './media-rtp.ts'

const SIX = { players: 6, spectators: 0, streams: [VIDEO_300, AUDIO_40] }
const PHASES = { night: 0.2, day: 3_600 }
/** dB below full: who speaks. */
const LOUD = 20
const SPEECH_MS = 2_000
const SETTLE_MS = 1_000

export interface RoomsPlan {
  counts: readonly number[]
  rounds: number
  ms: number
}

const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1_024

/** One after the other speaks, in each room; returns the end of it. */
const talk = (crowds: readonly Crowd[]): (() => void) => {
  let turn = 0
  const next = () => {
    turn++
    for (const { mouths } of crowds)
      for (const [nth, { streams }] of mouths.entries())
        for (const stream of streams) stream.level = nth === turn % mouths.length ? LOUD : 127
  }
  next()
  const timer = setInterval(next, SPEECH_MS)
  return () => clearInterval(timer)
}

/** What rooms of six cost that all see and hear each other. */
export const measureRooms = async ({ bare, ours }: Servers, { counts, rounds, ms }: RoomsPlan) => {
  const crowds: { bare: Crowd[]; ours: Crowd[] } = { bare: [], ours: [] }
  const measured = []
  // The first room pays for code and tables that all share.
  const warm = await seatedTable(ours, SIX, PHASES)
  const workers = { bare: await workerOf(bare), ours: await workerOf(ours) }
  const memory = async () => {
    await sleep(SETTLE_MS)
    const { heap, external } = await ours.memory()
    return { worker: residentBytes(workers.ours), server: heap + external }
  }
  const empty = await memory()
  for (const count of counts) {
    while (crowds.ours.length < count) {
      crowds.ours.push(await seatedTable(ours, SIX, PHASES))
      crowds.bare.push(await bareCrowd(bare, SIX))
    }
    let serverMicros = 0
    let serverSeconds = 0
    const quiet = talk(crowds.ours)
    const slices = await inTurn(
      {
        bare: () => sliceOf(crowds.bare, workers.bare, ms),
        ours: async () => {
          const before = ours.cpu()
          const slice = await sliceOf(crowds.ours, workers.ours, ms)
          const after = ours.cpu()
          serverMicros += after.main + after.others - before.main - before.others
          serverSeconds += slice.seconds
          return slice
        },
      },
      rounds,
    )
    quiet()
    measured.push({ count, ...slices, ratio: ratioOf(slices), server: serverMicros / serverSeconds / 1e4 / count })
  }
  const full = await memory()
  const rooms = crowds.ours.length
  for (const crowd of [warm, ...crowds.ours, ...crowds.bare]) crowd.close()
  const each = (key: keyof typeof full) => (full[key] - empty[key]) / rooms
  return { measured, memory: { worker: each('worker'), server: each('server') } }
}

export const roomsText = (
  { measured, memory }: Awaited<ReturnType<typeof measureRooms>>,
  { rounds, ms }: RoomsPlan,
): string => {
  const share = (slices: readonly Slice[]) => sumOf(slices, 'workerMicros') / sumOf(slices, 'seconds') / 1e4
  const rows = measured.map(({ count, bare, ours, ratio, server }) => [
    fixed(count),
    `${fixed(sumOf(ours, 'arrived') / sumOf(ours, 'seconds'))}/s`,
    `${fixed(share(bare) / count, 2)} %`,
    `${fixed(share(ours) / count, 2)} %`,
    `**${fixed(ratio.median, 3)}**`,
    `${fixed(server, 2)} %`,
    fixed(100 / (share(ours) / count + server), 0),
  ])
  const mib = (bytes: number) => `${fixed(bytes / 2 ** 20, 2)} MiB`
  return [
    '### Rooms of six',
    `Rooms of \`mafia\` by day with six players, each of whom sends 300 kbit/s of video and 40 kbit/s of sound to the five others (60 consumers a room); one of them speaks at a time, which all are told. ${rounds} rounds of ` +
      `${fixed(ms / 1_000, 1)} s in turn with mediasoup alone. CPU is in per cent of a core and per room; *engine, gateway, node* is the one Node process that has all three: signs of life, who speaks, leases.`,
    table(
      [
        'rooms',
        'packets out',
        'bare worker, a room',
        'Madang’s worker, a room',
        'packets per CPU s, Madang / bare',
        'engine, gateway, node, a room',
        'rooms of six a core, all together',
      ],
      rows,
    ),
    `Memory a room: ${mib(memory.worker)} in the worker (RSS), ${mib(memory.server)} in the Node process (JS heap and external).`,
  ].join('\n\n')
}
