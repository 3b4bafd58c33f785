import { type Benchmark, fixed, sleep, table, verdict } from './figures.ts'
import { addressOf, many, Player } from './player.ts'
import type { Memory } from './probe.ts'
import { type Server, startOurs, startRaw } from './server.ts'
import { type Point, slope } from './slope.ts'
import { Wire } from './wire.ts'

const AIM_BYTES = 1_024
/** What is remembered of a player's rate is swept 5 s after its last frame. */
const SETTLE_MS = 6_500
const AT_ONCE = 32
const SEATS = 8

/** Memory after each number of connections. */
const climb = async (
  server: Server,
  counts: readonly number[],
  connect: (nth: number) => Promise<Wire>,
): Promise<Point[]> => {
  const wires: Wire[] = []
  const points: Point[] = []
  for (const count of counts) {
    const first = wires.length
    wires.push(...(await many(count - first, AT_ONCE, (nth) => connect(first + nth))))
    await sleep(SETTLE_MS)
    points.push({ connections: count, memory: await server.memory() })
  }
  for (const wire of wires) wire.cut()
  return points
}

/** What spectators and idle raw sockets cost. */
const spectators = async (counts: readonly number[]) => {
  const raw = await startRaw()
  const rawPoints = await climb(raw, counts, (nth) => Wire.open(raw.port, '/', addressOf(nth)))
  await raw.stop()
  const ours = await startOurs()
  const host = await Player.enter(ours.port, 1_000_000)
  const room = await host.create('bench')
  const points = await climb(ours, counts, async (nth) => {
    const player = await Player.enter(ours.port, nth)
    await player.join(room, 'spectator')
    return player.wire
  })
  await ours.stop()
  return { raw: rawPoints, ours: points }
}

const live = ({ heap, external }: Memory): number => heap + external

/** What rooms that play cost with and without their eight players' connections. */
const playing = async (rooms: number) => {
  const server = await startOurs()
  const open = async (first: number, count: number): Promise<Wire[]> => {
    const tables = await many(count, AT_ONCE / SEATS, async (nth) => {
      const players = await many(SEATS, 1, (seat) => Player.enter(server.port, (first + nth) * SEATS + seat))
      const room = (await players[0]?.create('bench')) ?? ''
      for (const player of players) await player.join(room)
      return players.map(({ wire }) => wire)
    })
    return tables.flat()
  }
  // The first rooms pay for code and tables that all share.
  const warm = await open(0, 16)
  await sleep(SETTLE_MS)
  const empty = await server.memory()
  const wires = await open(16, rooms)
  await sleep(SETTLE_MS)
  const seated = await server.memory()
  // Rooms stay in memory for a minute after the last has gone.
  for (const wire of wires) wire.cut()
  await sleep(SETTLE_MS)
  const left = await server.memory()
  for (const wire of warm) wire.cut()
  await server.stop()
  return {
    room: (live(left) - live(empty)) / rooms,
    player: (live(seated) - live(left)) / (rooms * SEATS),
    whole: (seated.rss - empty.rss) / rooms,
  }
}

export const idle: Benchmark = {
  name: 'idle',
  title: 'Memory per connection, player and room',

  async run(quick) {
    const counts = quick ? [500, 1_000, 2_000] : [1_000, 2_000, 4_000, 8_000]
    const { raw, ours } = await spectators(counts)
    const seats = await playing(quick ? 100 : 500)
    const kib = (bytes: number) => `${fixed(bytes / 1_024, 2)} KiB`
    const rss = { raw: slope(raw, (m) => m.rss), ours: slope(ours, (m) => m.rss) }
    const js = { raw: slope(raw, live), ours: slope(ours, live) }
    const mib = (bytes: number) => `${fixed(bytes / 2 ** 20, 1)} MiB`
    return [
      `Connections that are open and do nothing, from several loopback addresses; ours have said HELLO and joined one room of \`bench\` as spectators, ` +
        'each as a player of their own. Taken after garbage collections and after the sweep of rates; what the kernel holds for a socket is in neither.',
      table(
        ['connections', 'raw RSS', 'Madang RSS', 'raw JS heap + external', 'Madang JS heap + external'],
        counts.map((count, i) => {
          const [a, b] = [raw[i]?.memory, ours[i]?.memory]
          if (a === undefined || b === undefined) throw new Error('a point is missing')
          return [fixed(count), mib(a.rss), mib(b.rss), mib(live(a)), mib(live(b))]
        }),
      ),
      table(
        ['per connection (slope)', 'raw', 'Madang', 'Madang − raw', 'Madang / raw'],
        [
          ['RSS', kib(rss.raw), kib(rss.ours), `**${kib(rss.ours - rss.raw)}**`, fixed(rss.ours / rss.raw, 1)],
          ['JS heap + external', kib(js.raw), kib(js.ours), `**${kib(js.ours - js.raw)}**`, fixed(js.ours / js.raw, 1)],
        ],
      ),
      `Aim: at most 1 KiB over raw for an idle spectator: ${verdict(js.ours - js.raw <= AIM_BYTES && rss.ours - rss.raw <= AIM_BYTES)}.`,
      table(
        ['rooms of `bench` in play, each with 8 connected players', ''],
        [
          ['a room, without connections (JS heap + external)', kib(seats.room)],
          ['a connected player in it (the same)', kib(seats.player)],
          ['a room with its eight players (RSS)', kib(seats.whole)],
        ],
      ),
    ].join('\n\n')
  },
}
