import { type Benchmark, fixed, table } from './figures.ts'
import { type Asleep, measureAsleep } from './rooms-asleep.ts'
import { type Live, measureLive } from './rooms-live.ts'
import { STORES, type StoreLevel } from './store.ts'

const GIB = 2 ** 30
const ASLEEP = 100_000
/** More than NATS gives of one partition at once. */
const ASLEEP_MANY = 300_000

/** How many of so many bytes each, in round numbers. */
const perGib = (bytes: number, round: number): string => `**${fixed(Math.floor(GIB / bytes / round) * round)}**`

export const liveText = (live: readonly Live[]): string =>
  [
    'Rooms in memory in which nothing happens, all of whose players are connected (each player to 64 rooms, so that connections weigh little); `sqlite-full`, one process with all roles. ' +
      'Between two numbers of rooms, after garbage collections. *Per GiB* is what the larger of the two makes of one: memory that a process has taken before shows in RSS late.',
    table(
      ['', 'rooms', 'a room: RSS', 'JS heap + external', 'rooms per GiB'],
      live.map(({ game, players, rooms, rss, js }) => [
        `\`${game}\`, ${players} players`,
        fixed(rooms),
        `${fixed(rss / 1_024, 1)} KiB`,
        `${fixed(js / 1_024, 1)} KiB`,
        perGib(Math.max(rss, js), 1_000),
      ]),
    ),
  ].join('\n\n')

export const asleepText = (asleep: readonly Asleep[]): string =>
  [
    'Rooms of `tictactoe` that sleep in the store, in the middle of a game, each with a timer that wakes it in some hours; on JetStream (R1) spread over two engines, whose memory is added up. *Ready*: from the ' +
      'start until all processes are; *at rest*: until no engine takes more than a tenth of a core, and so has read all rows and set all timers; in brackets with no rooms. *Woken*: one of the two engines is killed; ' +
      'ms from then until those of its rooms that were due are in the other’s memory.',
    table(
      ['', 'asleep', 'ready', 'at rest', 'a room: RSS', 'JS heap + external', 'rooms per GiB', 'on disk', 'woken'],
      asleep.map(({ level, rooms, empty, full, bytesPerRoom, woken }) => {
        const each = (of: (memory: Asleep['full']['memory']) => number) => (of(full.memory) - of(empty.memory)) / rooms
        const rss = each((memory) => memory.rss)
        const js = each(({ heap, external }) => heap + external)
        return [
          `\`${level}\``,
          fixed(rooms),
          `${fixed(full.readyMs)} (${fixed(empty.readyMs)}) ms`,
          `${fixed(full.restsMs)} (${fixed(empty.restsMs)}) ms`,
          `${fixed(rss)} B`,
          `${fixed(js)} B`,
          perGib(Math.max(rss, js), 10_000),
          `${fixed(bytesPerRoom)} B`,
          woken === null ? '–' : `${fixed(woken.probes)} in ${fixed(woken.ms)} ms`,
        ]
      }),
    ),
  ].join('\n\n')

export const rooms: Benchmark = {
  name: 'rooms',
  title: 'Rooms in a GiB, awake and asleep',

  async run(quick) {
    const live = [
      await measureLive('tictactoe', 2, quick ? 200 : 2_000),
      await measureLive('mafia', 8, quick ? 100 : 500),
    ]
    console.log(liveText(live))
    const asleep: Asleep[] = []
    const measure = async (level: StoreLevel, rooms: number) => {
      asleep.push(await measureAsleep(level, rooms))
      console.log(asleepText(asleep))
    }
    for (const level of STORES) await measure(level, quick ? 2_000 : ASLEEP)
    if (!quick) await measure('jetstream-r1', ASLEEP_MANY)
    return [liveText(live), asleepText(asleep)].join('\n\n')
  },
}
