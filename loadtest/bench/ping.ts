import { encode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { type Benchmark, fixed, median, sleep, sum, table, verdict } from './figures.ts'
import { addressOf, many, Player } from './player.ts'
import { cpuBetween, type Server, startOurs, startRaw } from './server.ts'
import { masked, Wire } from './wire.ts'

const CONNECTIONS = 64
/** PINGs of one connection that are on their way at once, in one write. */
const DEPTHS = [1, 16]
const AIM = 0.6

interface Slice {
  perSecond: number
  cpuMicros: number
}

/** One slice of closed-loop requests: each connection sends its next ones when all of the last were answered. */
const slice = async (server: Server, wires: readonly Wire[], depth: number, ms: number): Promise<Slice> => {
  const ping = masked(...Array.from({ length: depth }, () => encode([OP.ping, performance.now()])))
  let answered = 0
  let isOver = false
  let busy = wires.length
  const rest = Promise.withResolvers<void>()
  for (const wire of wires) {
    let open = depth
    wire.onMessage = () => {
      answered += 1
      open -= 1
      if (open > 0) return
      open = depth
      if (!isOver) wire.write(ping)
      else if (--busy === 0) rest.resolve()
    }
  }
  const cpu = server.cpu()
  const began = performance.now()
  for (const wire of wires) wire.write(ping)
  await sleep(ms)
  isOver = true
  await rest.promise
  const took = performance.now() - began
  const { main, others } = cpuBetween(cpu, server.cpu())
  return { perSecond: (answered / took) * 1_000, cpuMicros: (main + others) / answered }
}

const measure = async (
  servers: readonly [raw: Server, ours: Server],
  wires: readonly [raw: Wire[], ours: Wire[]],
  depth: number,
  rounds: number,
  ms: number,
) => {
  const slices: [Slice[], Slice[]] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    for (const which of [0, 1] as const) {
      const made = await slice(servers[which], wires[which], depth, ms)
      if (round > 0) slices[which].push(made)
    }
  }
  const of = (which: 0 | 1, key: keyof Slice) => median(slices[which].map((made) => made[key]))
  const [raw, ours] = [0, 1].map((which) => ({
    perSecond: of(which === 0 ? 0 : 1, 'perSecond'),
    cpuMicros: of(which === 0 ? 0 : 1, 'cpuMicros'),
  })) as [Slice, Slice]
  return { depth, raw, ours, answered: sum(slices.flat().map(({ perSecond }) => (perSecond * ms) / 1_000)) }
}

export const ping: Benchmark = {
  name: 'ping',
  title: 'PING against a raw echo',

  async run(quick) {
    const servers = [await startRaw(), await startOurs()] as const
    const [raw, ours] = servers
    const wires = [
      await many(CONNECTIONS, 8, (nth) => Wire.open(raw.port, '/echo', addressOf(nth))),
      (await many(CONNECTIONS, 8, (nth) => Player.enter(ours.port, nth))).map(({ wire }) => wire),
    ] as const
    const [rounds, ms] = quick ? [5, 200] : [30, 500]
    const measured = []
    for (const depth of DEPTHS) measured.push(await measure(servers, [wires[0], wires[1]], depth, rounds, ms))
    for (const wire of wires.flat()) wire.cut()
    await Promise.all(servers.map((server) => server.stop()))

    const rows = measured.map(({ depth, raw, ours }) => {
      const [rate, cpu] = [ours.perSecond / raw.perSecond, raw.cpuMicros / ours.cpuMicros]
      return [
        String(depth),
        `${fixed(raw.perSecond)}/s`,
        `${fixed(ours.perSecond)}/s`,
        `**${fixed(rate, 2)}**`,
        `${fixed(raw.cpuMicros, 1)} µs`,
        `${fixed(ours.cpuMicros, 1)} µs`,
        `**${fixed(cpu, 2)}**`,
      ]
    })
    const verdicts = measured.map(({ depth, raw, ours }) => {
      const rate = verdict(ours.perSecond >= AIM * raw.perSecond)
      return `${depth} at once: requests/s ${rate}, CPU ${verdict(raw.cpuMicros >= AIM * ours.cpuMicros)}`
    })
    return [
      `${CONNECTIONS} connections, each with the given number of PINGs on their way at once (the bytes of all of them in one write), ` +
        `sent again when all are answered. The same generator sends the same bytes to both servers in turn, ${rounds} slices of ${ms} ms each; ` +
        'medians of the slices. The raw server echoes the bytes; ours checks form, counts the frame against the player’s rate, and answers PONG ' +
        'with its time. CPU is that of all threads of the server process. Requests/s says little where the generator is as busy as the server ' +
        '(one at a time); CPU per request is the fairer figure, and both are held against the aim.',
      table(['at once', 'raw', 'Madang', 'Madang / raw', 'raw CPU', 'Madang CPU', 'raw CPU / Madang CPU'], rows),
      `Aim: at least ${AIM}. ${verdicts.join('; ')}.`,
    ].join('\n\n')
  },
}
