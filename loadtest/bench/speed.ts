import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { realChance } from '../../cli/real.ts'
import { openSqlite } from '../../engine/log/sqlite.ts'
import { roomHistory } from '../../engine/partition/history.ts'
import { Library } from '../../engine/partition/library.ts'
import { restoreRoom, type Sources } from '../../engine/partition/restore.ts'
import { LOG_START, readChain } from '../../engine/room/chain.ts'
import { KeyRing } from '../../engine/room/keyring.ts'
import { loadGame } from '../../engine/rules/load.ts'
import { type Benchmark, fixed, table, verdict } from './figures.ts'
import { PLAYS, stepsPerSecond } from './rules.ts'
import { benchEvents, PLAYERS, writeRoom } from './written.ts'

const STEP_AIM = 200_000
const REPLAY_AIM = 100_000
const ROUNDS = 5

/** Events per second of `visit` over all rooms; the best of some rounds. */
const perSecond = async (rooms: readonly string[], events: number, visit: (room: string) => Promise<unknown>) => {
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    for (const room of rooms) await visit(room)
    best = Math.max(best, (events * 1_000) / (performance.now() - began))
  }
  return best
}

const replayed = async (perRecord: number, count: number, moves: number) => {
  const dir = mkdtempSync(join(tmpdir(), 'madang-bench-'))
  const storage = await openSqlite({ dir, chance: realChance })
  const game = await loadGame(fileURLToPath(new URL('../games/bench', import.meta.url)))
  const keys = new KeyRing(storage, realChance)
  for (const player of PLAYERS) await keys.need(player)
  const sources: Sources = { storage, library: await Library.open([game], storage), keys }
  const rooms = Array.from({ length: count }, (_, i) => `room-${i}`)
  const lengths = await Promise.all(
    rooms.map((room) => writeRoom(room, [...benchEvents(room, moves)], perRecord, { game, storage, keys })),
  )
  const events = lengths.reduce((all, { seq }) => all + seq, 0)
  const read = await perSecond(rooms, events, async (room) => {
    for await (const _ of readChain(storage, room, LOG_START));
  })
  const restored = await perSecond(rooms, events, (room) => restoreRoom(room, sources))
  const walked = await perSecond(rooms, events, async (room) => {
    for await (const _ of roomHistory(room, sources));
  })
  await storage.close()
  rmSync(dir, { recursive: true })
  return { perRecord, events, read, restored, walked }
}

export const speed: Benchmark = {
  name: 'speed',
  title: 'Steps and replays per second',

  async run(quick) {
    const steps = quick ? 20_000 : 100_000
    const town = stepsPerSecond(PLAYS.votes(), steps)
    const bench = stepsPerSecond(PLAYS.sets(), steps)
    const [rooms, moves] = quick ? [8, 500] : [64, 1_000]
    const replays = [await replayed(1, rooms, moves), await replayed(8, rooms, moves)]
    const stepRows = [['`mafia`: votes of a day', town] as const, ['`bench`: sets of a cell', bench] as const].map(
      ([what, { ours, xstate }]) => [what, `${fixed(xstate)}/s`, `**${fixed(ours)}/s**`, fixed(ours / xstate, 1)],
    )
    const slowest = Math.min(...replays.map(({ restored }) => restored))
    return [
      'Pure steps of the rules on one core, through the runner (payloads checked already), and the same votes by XState’s own ' +
        '`transition()` in the same rounds. Best of 8 rounds.',
      table(['', 'XState `transition()`', 'Madang', 'ratio'], stepRows),
      `Aim: ${fixed(STEP_AIM)} steps/s on mafia votes: ${verdict(town.ours >= STEP_AIM)}.`,
      `Replays of ${rooms} rooms of \`bench\` with ${fixed(moves)} moves each from SQLite on disk, without snapshots, room after room: ` +
        '*read* reads, decodes and checks the chain of records and steps nothing; *restoreRoom* is what a start and a takeover do; ' +
        '*roomHistory* hands out each event with its state, as `madang replay` does. Best of 5 rounds.',
      table(
        ['events in a record', 'read', '`restoreRoom`', 'of the read', '`roomHistory`'],
        replays.map(({ perRecord, read, restored, walked }) => [
          String(perRecord),
          `${fixed(read)}/s`,
          `**${fixed(restored)}/s**`,
          fixed(restored / read, 2),
          `${fixed(walked)}/s`,
        ]),
      ),
      `Aim: ${fixed(REPLAY_AIM)} events/s: ${verdict(slowest >= REPLAY_AIM)}.`,
    ].join('\n\n')
  },
}
