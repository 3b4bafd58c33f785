import { fileURLToPath } from 'node:url'
import { realChance } from '../../cli/real.ts'
import type { IndexRow } from '../../engine/log/log.ts'
import { Library } from '../../engine/partition/library.ts'
import { KeyRing } from '../../engine/room/keyring.ts'
import { loadGame } from '../../engine/rules/load.ts'
import { sleep } from './figures.ts'
import { statusOf, watchOwners } from './owners.ts'
import { many } from './player.ts'
import type { Memory } from './probe.ts'
import type { Programs } from './programs.ts'
import { openStore, type Store, type StoreLevel } from './store.ts'
import { begun, writeRoom } from './written.ts'

/** One start on a store: ms until all processes are ready, and until the engines rest, from the start. */
interface Started {
  readyMs: number
  restsMs: number
  /** Of all engines. */
  memory: Memory
}

/** What so many rooms that sleep cost. */
export interface Asleep {
  level: StoreLevel
  rooms: number
  empty: Started
  full: Started
  /** On disk. */
  bytesPerRoom: number
  /** On JetStream: ms from the kill of one of the two engines until so many of its rooms, which were due by then, were in the other's memory. */
  woken: { probes: number; ms: number } | null
}

const ENGINES = { 'sqlite-full': 1, 'jetstream-r1': 2 }
const PROBES = 200
const WRITTEN_AT_ONCE = 64
const PLAYERS = ['ann', 'bob']
const DUE_IN_MS = 3 * 3_600_000
const WINDOW_MS = 250
const RESTING = 0.1
const PATIENCE_MS = 120_000
const LOOK_MS = 10

export const measureAsleep = async (level: StoreLevel, rooms: number): Promise<Asleep> => {
  const none = await startTimed(await openStore(level), level)
  await none.programs.stop()
  const store = await openStore(level)
  const filled = await fill(store, rooms).catch(async (error) => {
    await store.remove()
    throw error
  })
  console.log(`${level}: ${rooms} rooms that sleep are written`)
  const { programs, started } = await startTimed(store, level)
  try {
    const woken = level === 'sqlite-full' ? null : await takenOver(store, programs, filled.row, rooms)
    return { level, rooms, empty: none.started, full: started, bytesPerRoom: filled.bytesPerRoom, woken }
  } finally {
    await programs.stop()
  }
}

const roomOf = (n: number): string => `sleeper-${n}`

const fill = async ({ storage, bytes }: Store, rooms: number) => {
  const game = await loadGame(fileURLToPath(new URL('../../games/tictactoe', import.meta.url)))
  const keys = new KeyRing(storage, realChance)
  for (const player of PLAYERS) await keys.need(player)
  await Library.open([game], storage)
  const before = bytes()
  const dropped = PLAYERS.map((by) => ({ type: 'player.dropped' as const, by, at: 1_700_000_000_000, seed: 1 }))
  const due = Date.now() + DUE_IN_MS
  const rowOf = (n: number, seq: number): IndexRow => ({
    room: roomOf(n),
    game: 'tictactoe',
    rules: game.hash,
    status: 'asleep',
    due,
    public: false,
    phase: 'playing',
    players: PLAYERS.length,
    seq,
  })
  let seq = 0
  await many(rooms, WRITTEN_AT_ONCE, async (n) => {
    const events = [...begun(roomOf(n), 'tictactoe', PLAYERS), ...dropped]
    seq = events.length
    await writeRoom(roomOf(n), events, events.length, { game, storage, keys })
    await storage.putIndex([rowOf(n, seq)])
  })
  return { bytesPerRoom: (bytes() - before) / rooms, row: (n: number) => rowOf(n, seq) }
}

const startTimed = async (store: Store, level: StoreLevel): Promise<{ programs: Programs; started: Started }> => {
  const began = performance.now()
  const programs = await store.start(ENGINES[level])
  const readyMs = performance.now() - began
  try {
    await rest(programs)
    const restsMs = performance.now() - began - WINDOW_MS
    const memories = await Promise.all(programs.engines.map((engine) => engine.memory()))
    const total = (of: keyof Memory) => memories.reduce((all, memory) => all + memory[of], 0)
    const memory = { heap: total('heap'), external: total('external'), rss: total('rss') }
    return { programs, started: { readyMs, restsMs, memory } }
  } catch (error) {
    await programs.stop()
    throw error
  }
}

/** Resolves after a window in which the engines took less than a tenth of a core each. */
const rest = async (programs: Programs): Promise<void> => {
  const patience = performance.now() + PATIENCE_MS
  for (;;) {
    const { engines: before } = programs.spent()
    await sleep(WINDOW_MS)
    if (programs.spent().engines - before < WINDOW_MS * 1_000 * RESTING * programs.engines.length) return
    if (performance.now() > patience) throw new Error('the engines do not come to rest')
  }
}

const takenOver = async ({ storage }: Store, programs: Programs, row: (n: number) => IndexRow, rooms: number) => {
  const [dying, staying] = programs.engines
  if (dying === undefined || staying === undefined) throw new Error('two engines are needed')
  const owners = await watchOwners(programs)
  const { engine } = await statusOf(dying)
  const its = Array.from({ length: rooms }, (_, n) => row(n)).filter(({ room }) => owners.of(room) === engine)
  await owners.close()
  // From all over its partitions, so that the last one is woken when nearly all rows have been read.
  const every = Math.max(1, Math.floor(its.length / PROBES))
  const probes = its.filter((_, n) => n % every === 0).slice(0, PROBES)
  await storage.putIndex(probes.map((probe) => ({ ...probe, due: Date.now() })))
  const from = performance.now()
  await dying.kill('SIGKILL')
  while ((await statusOf(staying)).live < probes.length) {
    if (performance.now() - from > PATIENCE_MS) throw new Error('rooms that were due did not wake')
    await sleep(LOOK_MS)
  }
  return { probes: probes.length, ms: performance.now() - from }
}
