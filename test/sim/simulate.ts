import { isDeepStrictEqual } from 'node:util'
import { Library } from '../../engine/partition/library.ts'
import { restoreRoom } from '../../engine/partition/restore.ts'
import { KeyRing } from '../../engine/room/keyring.ts'
import { plainState } from '../../engine/room/plain.ts'
import type { LoadedGame } from '../../engine/rules/game.ts'
import type { RoomId } from '../../protocol/frames.ts'
import { POLL_MS, type Table } from './bots.ts'
import { checkBounded } from './checks/bounded.ts'
import { checkForwarded } from './checks/forwarded.ts'
import { checkFresh } from './checks/fresh.ts'
import { checkGrace } from './checks/grace.ts'
import { checkOnce } from './checks/once.ts'
import { LOOK_EVERY_MS, OwnedCheck } from './checks/owned.ts'
import { type RoomPast, readPast } from './checks/past.ts'
import { behind, checkShown } from './checks/shown.ts'
import { checkWire } from './checks/wire.ts'
import { endFaults, planFaults } from './faults.ts'
import type { StoreBreak } from './store.ts'
import type { Timeline } from './timeline.ts'
import { World } from './world.ts'

/** People play on for so long after the last fault. */
const PLAY_ON_MS = 300
/** Half-dead links are found within 30 s; then come backoff and requests that time out. */
const MENDED_MS = 90_000
/** P3: what was lost is made good within this. */
const LEVEL_MS = 2_000
/** What happens just before is polled a little later. */
const SHOWN_MS = POLL_MS + 200
/** Longer than a room may be idle, an engine be missed, a Detach be repeated. */
const FORGOTTEN_MS = 85_000

/** So many worlds share one that is watched until nothing is left of it. */
const EMPTIED_EVERY = 3
/** Beats are always under way. */
const UNDERWAY_MOST = 50

export interface Outcome {
  readonly seed: number
  readonly timeline: Timeline
  readonly counters: Readonly<Record<string, number>>
  readonly hash: string
}

/** Runs one world from its seed and checks the five promises over all that happened in it. Rejects only where the simulator itself is wrong. */
export const simulate = async (
  seed: number,
  games: readonly LoadedGame[],
  broken: StoreBreak = null,
): Promise<Outcome> => {
  const world = new World({ seed, games, broken })
  const { timeline } = world.ground
  try {
    await live(world)
  } catch (error) {
    timeline.fail('run', null, error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  return { seed, timeline, counters: timeline.counters, hash: timeline.hash() }
}

const live = async (world: World): Promise<void> => {
  const { clock, timeline } = world.ground
  const { memories } = world
  await settle(world, world.startEngines())
  seat(world)
  const faultsMs = planFaults(world)
  const runs = Promise.all(world.bots.map((bot) => bot.run()))
  const owned = new OwnedCheck(world)
  for (let ms = 0; ms < faultsMs; ms += LOOK_EVERY_MS) {
    await clock.advance(LOOK_EVERY_MS)
    checkBounded(world)
    owned.look()
  }
  world.isFaulty = false
  endFaults(world)
  await settle(world, world.startEngines())
  await clock.advance(PLAY_ON_MS)
  world.isPlaying = false
  await settle(world, runs)
  const until = Math.max(timeline.now, faultsMs) + MENDED_MS
  while ((memories.open > 0 || !isMended(world)) && timeline.now < until) {
    await clock.advance(LOOK_EVERY_MS)
    owned.look()
  }
  if (timeline.now >= until) timeline.fail('run', null, 'not everybody is back, or answered, long after the last fault')
  const pasts = await checkLevel(world)
  checkWire(pasts, world.wire, timeline)
  checkFresh(pasts, world.wire, timeline)
  checkForwarded(world, pasts)
  checkGrace(world, pasts)
  checkShown(pasts, memories.showings, memories.moves, timeline)
  checkOnce(pasts, world.durable.acknowledged, memories.moves, world.wire, timeline)
  owned.checkTimers(pasts)
  await checkLive(world, pasts)
  // It takes as long as all before, and finds what is the same in most worlds.
  if (world.seed % EMPTIED_EVERY === 0) await checkEmpty(world)
}

/** Every end that a fault has broken has noticed, and every session is back. */
const isMended = ({ network, bots }: World): boolean =>
  [...network.links].every(({ isSick }) => !isSick) &&
  bots.every(({ session }) => ['online', 'closed'].includes(session.state.current.status))

/** Who plays what: two or three tables a world. */
const seat = (world: World): void => {
  const dice = world.ground.dice.faults
  const names = dice.shuffle(['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7'])
  const table = (game: string, options?: unknown): Table => ({
    game,
    options,
    entry: dice.may(0.4) ? 'match' : 'create',
    room: null,
  })
  // Nights that are longer than a lease of video, or change often.
  const nights = dice.pick([
    { night: 2, day: 3 },
    { night: 9, day: 2 },
    { night: 12, day: 2 },
  ])
  const big = dice.may(0.35) ? table('bench') : table('mafia', nights)
  const small = [table('tictactoe'), table('tictactoe')]
  const atBig = big.game === 'bench' ? 8 : dice.between(5, 6)
  for (const name of names.slice(0, atBig)) world.addBot(name, big)
  for (const [i, tictactoe] of small.entries())
    for (const name of names.slice(2 * i, 2 * i + 2)) world.addBot(`${name}~${i + 2}`, tictactoe)
  world.addBot('s0', big, 'spectator')
  world.addBot('s1', big, 'spectator')
  world.addBot('s2', dice.pick(small), 'spectator')
}

/** Runs time until the promise settles. */
const settle = async <T>({ ground: { clock } }: World, promise: Promise<T>): Promise<T> => {
  let settled = false
  const done = () => {
    settled = true
  }
  promise.then(done, done)
  await clock.runUntil(() => settled, MENDED_MS)
  return promise
}

/** P3: with no faults left, every document is the replay's within two seconds. */
const checkLevel = async (world: World): Promise<Map<RoomId, RoomPast>> => {
  const { clock, timeline } = world.ground
  const damaged = (room: RoomId, why: string) => timeline.fail('replay', room, why)
  const past = () => readPast(world.store, world.games, world.ground.dice.programs, damaged)
  await clock.advance(LEVEL_MS - SHOWN_MS)
  let pasts = await past()
  for (let more = 0; more < SHOWN_MS / 100 && behind(pasts, world.memories.showings).length > 0; more++) {
    await clock.advance(100)
    pasts = await past()
  }
  for (const { room, what } of behind(pasts, world.memories.showings))
    timeline.fail('P3', room, `2 s after the last fault ${what}`)
  return pasts
}

/** Replay from nothing equals every live state. */
const checkLive = async (world: World, pasts: ReadonlyMap<RoomId, RoomPast>): Promise<void> => {
  const { timeline } = world.ground
  const live = world.engines.flatMap(({ core }) => [...core.rooms.live()])
  for (const [room, same] of Map.groupBy(live, (any) => any.room))
    if (same.length > 1) timeline.fail('run', room, `it is live at ${same.length} engines`)
  for (const { room, state, quiet } of live) {
    const past = pasts.get(room)
    const last = past?.at(past.seq)?.state
    if (!quiet || (last !== undefined && last.seq < state.seq)) continue
    timeline.count('live rooms replayed')
    if (
      past === undefined ||
      last === undefined ||
      !isDeepStrictEqual(plainState(last, past.runner), plainState(state, past.runner))
    )
      timeline.fail('replay', room, `its log replays to another state than the live one at ${state.seq}`)
  }
}

/** P5: once everyone has gone, nothing is held anywhere, and every room restores from what was kept of it. */
const checkEmpty = async (world: World): Promise<void> => {
  const { clock, timeline, dice } = world.ground
  const { store, games } = world
  await settle(world, Promise.all(world.bots.filter((_, i) => i % 2 === 0).map((bot) => bot.leaveAll())))
  for (const { session } of world.bots) session.close()
  await clock.advance(FORGOTTEN_MS)
  for (const { name, gateway } of world.sites)
    for (const [what, count] of Object.entries(gateway.held()))
      if (count > 0) timeline.fail('P5', null, `${name} still holds ${count} ${what} after everyone has gone`)
  for (const { room, attachments, quiet } of world.engines.flatMap(({ core }) => [...core.rooms.live()]))
    if (attachments.size > 0 || !quiet)
      timeline.fail('P5', room, `${attachments.size} are attached after everyone has gone`)
  if (world.memories.open > 0) timeline.fail('P2', null, `${world.memories.open} promises of the SDK never settled`)
  if (world.bus.size > UNDERWAY_MOST) timeline.fail('P5', null, `${world.bus.size} messages are under way`)
  await settle(world, Promise.all(world.slots.map((slot) => world.stopEngine(slot))))
  const storage = store.plain
  const sources = { storage, library: new Library(games, storage), keys: new KeyRing(storage, dice.programs) }
  const pasts = await readPast(store, games, dice.programs, () => {})
  for (const [room, past] of pasts) {
    const restored = await restoreRoom(room, sources)
    const last = past.at(past.seq)?.state
    if (last === undefined || restored === null) timeline.fail('replay', room, 'it cannot be restored')
    else if (!isDeepStrictEqual(plainState(last, past.runner), plainState(restored.state, past.runner)))
      timeline.fail('replay', room, 'its snapshot and its log restore to different states')
  }
  for (const slot of world.media) world.crashMedia(slot)
  world.ledger.close()
  for (const { gateway } of world.sites) gateway.close()
  await clock.advance(35_000)
  if (clock.timers > 0) timeline.fail('P5', null, `${clock.timers} timers are left when everything has been closed`)
}
