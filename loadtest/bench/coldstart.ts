import { fileURLToPath } from 'node:url'
import { realChance } from '../../cli/real.ts'
import { indexRow } from '../../engine/partition/index-row.ts'
import { Library } from '../../engine/partition/library.ts'
import { restoreRoom } from '../../engine/partition/restore.ts'
import { KeyRing } from '../../engine/room/keyring.ts'
import { encodeSnapshot } from '../../engine/room/snapshot.ts'
import { loadGame } from '../../engine/rules/load.ts'
import { OP } from '../../protocol/frames.ts'
import { type Benchmark, fixed, percentile, quartiles, table } from './figures.ts'
import { many, Player } from './player.ts'
import { openStore, STORES, type Store, type StoreLevel } from './store.ts'
import { benchEvents, PLAYERS, writeRoom } from './written.ts'

export interface Plan {
  events: number
  /** Of each kind. */
  rooms: number
}

/** The mean of what stands in the log after the last snapshot, which is kept every 256 events. */
const AFTER_SNAPSHOT = 128
const SHORT = 20
const WRITTEN_AT_ONCE = 10

type Kind = 'short' | 'snapshot' | 'log'

/** Ms from JOIN to STATE of rooms that sleep, in the order in which they were opened, in turn. */
interface Opened {
  level: StoreLevel
  times: Record<Kind, number[]>
  /** On disk, a record of one event. */
  bytesPerEvent: number
}

export const measureColdStart = async (level: StoreLevel, plan: Plan): Promise<Opened> => {
  const store = await openStore(level)
  const bytesPerEvent = await fill(store, plan).catch(async (error) => {
    await store.remove()
    throw error
  })
  console.log(`${level}: ${plan.rooms * 2} rooms of ${plan.events} events are written`)
  const programs = await store.start()
  try {
    const times: Opened['times'] = { short: [], snapshot: [], log: [] }
    const player = await Player.enter(programs.port, 0)
    // The first one pays for code that is not yet compiled.
    await msUntilState(player, roomOf('short', plan.rooms))
    for (let n = 0; n < plan.rooms; n++)
      for (const kind of KINDS) times[kind].push(await msUntilState(player, roomOf(kind, n)))
    player.wire.cut()
    return { level, times, bytesPerEvent }
  } finally {
    await programs.stop()
  }
}

const KINDS: readonly Kind[] = ['short', 'snapshot', 'log']
const roomOf = (kind: Kind, n: number): string => `${kind}-${n}`

/** Resolves with the bytes on disk of an event. */
const fill = async ({ storage, bytes }: Store, { events, rooms }: Plan): Promise<number> => {
  const game = await loadGame(fileURLToPath(new URL('../games/bench', import.meta.url)))
  const keys = new KeyRing(storage, realChance)
  for (const player of PLAYERS) await keys.need(player)
  const sources = { storage, library: await Library.open([game], storage), keys }
  const write = async (kind: Kind, n: number) => {
    const room = roomOf(kind, n)
    const all = [...benchEvents(room, events)].slice(0, kind === 'short' ? SHORT : events)
    const until = kind === 'snapshot' ? Math.max(1, all.length - AFTER_SNAPSHOT) : all.length
    const writing = { game, storage, keys }
    const end = await writeRoom(room, all.slice(0, until), 1, writing)
    if (kind === 'snapshot') {
      const restored = await restoreRoom(room, sources)
      if (restored === null) throw new Error(`${room} was not written`)
      const at = { position: end.position, checksum: end.checksum, rules: game.hash }
      await storage.putSnapshot(room, encodeSnapshot(restored.state, at, game.runner, keys))
      await writeRoom(room, all.slice(until), 1, writing, end)
    }
    const restored = await restoreRoom(room, sources)
    if (restored === null) throw new Error(`${room} was not written`)
    await storage.putIndex([indexRow(restored.state, game, 'asleep', null)])
  }
  await many(rooms + 1, WRITTEN_AT_ONCE, (n) => write('short', n))
  const before = bytes()
  await many(rooms, WRITTEN_AT_ONCE, (n) => write('log', n))
  const perEvent = (bytes() - before) / (rooms * events)
  await many(rooms, WRITTEN_AT_ONCE, (n) => write('snapshot', n))
  return perEvent
}

const msUntilState = async (player: Player, room: string): Promise<number> => {
  const shown = player.wire.next((bytes) => bytes[1] === OP.state)
  const began = performance.now()
  player.tell(OP.join, room, { role: 'spectator' })
  await shown
  return performance.now() - began
}

export const coldStartText = (opened: readonly Opened[], { events, rooms }: Plan): string =>
  [
    `Rooms of \`bench\` that sleep, opened by a spectator’s JOIN: ms until the STATE is there. ${fixed(events)} events with a record for each, with a snapshot of which ${AFTER_SNAPSHOT} events are newer (the mean: one is ` +
      `kept every 256), and without any; beside them rooms of ${SHORT} events, which show what a JOIN and a waking cost. ${rooms} rooms of each kind, in turn, on whole programs that were started on them.`,
    table(
      [
        '',
        `${SHORT} events`,
        'with a snapshot: p50 / most',
        'without: p50 / most',
        'without / with',
        'on disk, an event',
      ],
      opened.map(({ level, times, bytesPerEvent }) => {
        const cell = (kind: Kind) => `${ms(times[kind], 0.5)} / ${ms(times[kind], 1)} ms`
        return [
          `\`${level}\``,
          `${ms(times.short, 0.5)} ms`,
          cell('snapshot'),
          cell('log'),
          quartiles(
            times.log.map((time, n) => time / (times.snapshot[n] ?? time)),
            1,
          ),
          `${fixed(bytesPerEvent)} B`,
        ]
      }),
    ),
  ].join('\n\n')

const ms = (times: readonly number[], share: number): string => fixed(percentile(Float64Array.from(times), share), 1)

export const coldstart: Benchmark = {
  name: 'coldstart',
  title: 'Opening a long room that sleeps',

  async run(quick) {
    const plan = quick ? { events: 1_000, rooms: 2 } : { events: 10_000, rooms: 5 }
    const opened: Opened[] = []
    for (const level of STORES) opened.push(await measureColdStart(level, plan))
    return coldStartText(opened, plan)
  },
}
