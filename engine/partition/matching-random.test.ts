import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { expect, test } from 'vitest'
import { decode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { Cluster, sessionOf } from './testing/cluster.ts'
import { gameOf } from './testing/games.ts'

const GAMES = ['pair', 'crew'].map((id, n) =>
  gameOf(id, { head: `players: [2, ${n + 2}]`, machine: 'context: {}', face: 'everyone: () => ({})' }),
)
const STEPS = 80
const SEEDS = 40
const GIVE_UP_MS = 10_000

/** One MATCH, as its client sends it: again and again with the same ref, until it is answered OK. */
interface Wish {
  readonly player: string
  readonly ref: number
  readonly game: string
  /** All answers OK. */
  readonly rooms: string[]
  /** The requests under way: gateway and id, and when they are given up. */
  flights: { at: 0 | 1; id: number; until: number; isDone: boolean }[]
}

/** Engines that come, go, die and hand over, on a bus that is slow and loses; players who ask for rooms, impatiently, at two gateways. */
const run = async (seed: number): Promise<{ doubled: string[]; differing: string[]; open: number; wishes: number }> => {
  const random = xoroshiro128plus(seed)
  const below = (n: number): number => (random.next() >>> 0) % n
  const of = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const cluster = await Cluster.start(GAMES, (partition) => 'abc'.charAt((partition + seed) % 3))
  let loss = 5
  cluster.delay = () => (below(4) === 0 ? below(300) : below(3))
  cluster.loses = () => below(100) < loss
  const wishes: Wish[] = []
  const orphans: number[] = []
  let engines = 0
  let refs = 0

  const send = (wish: Wish): void => {
    const at = below(2) as 0 | 1
    const client = cluster.gateways[at].connect(wish.player, { session: sessionOf(wish.player), http: true })
    const id = client.send('', [[OP.match, wish.ref, wish.game]])
    wish.flights.push({ at, id, until: cluster.clock.now() + GIVE_UP_MS, isDone: false })
  }
  const look = (): void => {
    for (const wish of wishes)
      for (const flight of wish.flights.filter(({ isDone }) => !isDone)) {
        for (const item of cluster.gateways[flight.at].items) {
          if (item.kind !== 'answer' || item.id !== flight.id) continue
          flight.isDone = true
          const [op, , value] = decode(item.frames[0] ?? new Uint8Array(), SERVER_LIMITS) as [number, number, unknown]
          if (op === OP.ok) wish.rooms.push((value as { room: string }).room)
        }
        if (cluster.clock.now() >= flight.until) flight.isDone = true
      }
  }
  const retry = (): void => {
    for (const wish of wishes) if (wish.rooms.length === 0 && wish.flights.every(({ isDone }) => isDone)) send(wish)
  }

  for (let step = 0; step < STEPS; step++) {
    const what = below(12)
    const { names } = cluster
    if (what < 5) {
      const wish = { player: `p${below(6)}`, ref: ++refs, game: of(['pair', 'crew']), rooms: [], flights: [] }
      wishes.push(wish)
      send(wish)
    } else if (what < 7 && wishes.length > 0) send(of(wishes))
    else if (what === 7 && names.length > 2) orphans.push(...cluster.kill(of(names)))
    else if (what === 8 && names.length < 5) await cluster.add(`e${++engines}`)
    else if (what === 9) cluster.give(of(names), orphans.splice(0))
    else if (what === 10) {
      const from = of(names)
      const to = of(names)
      const moved = cluster.owned(from).filter(() => below(3) === 0)
      if (from !== to) await cluster.move(moved, from, to)
    }
    await cluster.clock.advance(below(4) === 0 ? below(6_000) : below(60))
    look()
    retry()
  }
  loss = 0
  cluster.give(of(cluster.names), orphans.splice(0))
  for (let n = 0; n < 60 && wishes.some(({ rooms }) => rooms.length === 0); n++) {
    await cluster.clock.advance(1_000)
    look()
    retry()
  }
  const last = cluster.names[0] ?? ''
  for (const name of cluster.names.slice(1)) cluster.give(last, cluster.kill(name))
  await cluster.clock.advance(20_000)
  return {
    ...outcome(cluster, last, wishes),
    open: wishes.filter(({ rooms }) => rooms.length === 0).length,
    wishes: wishes.length,
  }
}

const outcome = (
  cluster: Cluster,
  last: string,
  wishes: readonly Wish[],
): { doubled: string[]; differing: string[] } => {
  const seated = new Map<string, string[]>()
  for (const { room, state } of cluster.engine(last).rooms.live())
    for (const [player, windows] of Object.entries(state.windows))
      for (const { answers, recent = [] } of windows)
        for (const { ref } of [...answers, ...recent]) {
          const key = `${player} ${ref}`
          seated.set(key, [...(seated.get(key) ?? []), room])
        }
  const nameOf = ({ player, ref }: Wish): string => `${player} ${ref}`
  const isTrue = (wish: Wish): boolean => {
    const rooms = seated.get(nameOf(wish)) ?? []
    return wish.rooms.every((room) => rooms.includes(room) && room === wish.rooms[0])
  }
  return {
    doubled: wishes.filter((wish) => (seated.get(nameOf(wish)) ?? []).length > 1).map(nameOf),
    differing: wishes.filter((wish) => !isTrue(wish)).map(nameOf),
  }
}

test('P2 exactly once: each MATCH finds one room, is seated there once, and is told so each time, whatever engines do meanwhile', async () => {
  let wishes = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await run(seed)
    wishes += outcome.wishes
    expect({ seed, ...outcome, wishes: 0 }).toEqual({ seed, doubled: [], differing: [], open: 0, wishes: 0 })
  }
  expect(wishes).toBeGreaterThan(SEEDS * 10)
}, 200_000)
