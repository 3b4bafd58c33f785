import { type Benchmark, fixed, percentile, sleep, table, verdict } from './figures.ts'
import { type Owners, statusOf, watchOwners } from './owners.ts'
import { type LevelOnNats, type Programs, startPrograms } from './programs.ts'
import { openPulses, type PulseRoom, type Rhythm } from './pulses.ts'

const AIM_MS = 5_000
/** More than a beat is late where nothing happens. */
const CALM_MS = 500
/** What comes this soon after a kill was sent by the engine that was killed. */
const ON_ITS_WAY_MS = 100
/** Over so long the moves are spread that find out how a room is while its engine leaves, or another one starts and comes. */
const LEAVING_MS = 1_000
const COMING_MS = 5_000

export interface Plan {
  /** On each of the two engines, about. */
  rooms: number
  rhythm: Rhythm
}

/** What happened to the rooms of one engine. */
interface Moved {
  what: string
  rooms: number
  /** Ms until each room's first answered move or beat under its new owner: from the kill, or from when the move was sent. */
  signs: Float64Array
  /** How late beats came that fell due from then on until the next beat of every room, ms. */
  late: Float64Array
}

export interface Taken {
  level: LevelOnNats
  /** How late beats came while nothing happened, ms. */
  calm: Float64Array
  moved: Moved[]
}

/** Twice so many rooms with running timers on two engines: one leaves, a third comes, one of the two is killed. */
export const measureTakeover = async (level: LevelOnNats, { rooms, rhythm }: Plan): Promise<Taken> => {
  const programs = await startPrograms(level, 2)
  const owners = await watchOwners(programs).catch(async (error) => {
    await programs.stop()
    throw error
  })
  let pulses: PulseRoom[] = []
  try {
    pulses = await openPulses(programs.port, rooms * 2, rhythm)
    console.log(`${level}: ${pulses.length} rooms beat`)
    await sleep(2_000)
    const began = Date.now()
    await sleep(rhythm.most + CALM_MS)
    const calm = latenesses(pulses, began, began + rhythm.most)
    const at = { programs, owners, pulses, rhythm }
    const moved = [await leaves(at), await comes(at), await isKilled(at)]
    return { level, calm, moved }
  } finally {
    for (const pulse of pulses) pulse.close()
    await owners.close()
    await programs.stop()
  }
}

interface At {
  programs: Programs
  owners: Owners
  pulses: readonly PulseRoom[]
  rhythm: Rhythm
}

const leaves = async ({ programs, owners, pulses, rhythm }: At): Promise<Moved> => {
  const [leaving, staying] = await pair(programs)
  const its = pulses.filter(({ id }) => owners.of(id) === leaving.id)
  const from = Date.now()
  const gone = leaving.server.stop()
  const signs = await pokesSpread(its, LEAVING_MS)
  await gone
  programs.engines.splice(programs.engines.indexOf(leaving.server), 1)
  await owners.settled([staying.id])
  return await movedSince(from, rhythm, 'one of two leaves (SIGTERM)', its, signs)
}

const comes = async ({ programs, owners, pulses, rhythm }: At): Promise<Moved> => {
  const [present] = programs.engines
  const from = Date.now()
  const came = programs.addEngine()
  const moves = pokesSpread(pulses, COMING_MS)
  const ids = await Promise.all([present, await came].map(async (server) => server && (await statusOf(server)).engine))
  await owners.settled(ids.map((id) => id ?? ''))
  const signs = await moves
  const its = pulses.map(({ id }) => owners.of(id) === ids[1])
  return await movedSince(
    from,
    rhythm,
    'a second comes',
    pulses.filter((_, n) => its[n]),
    signs.filter((_, n) => its[n]),
  )
}

const isKilled = async ({ programs, owners, pulses, rhythm }: At): Promise<Moved> => {
  const [dying, staying] = await pair(programs)
  const its = pulses.filter(({ id }) => owners.of(id) === dying.id)
  const from = Date.now()
  await dying.server.kill('SIGKILL')
  programs.engines.splice(programs.engines.indexOf(dying.server), 1)
  await sleep(ON_ITS_WAY_MS)
  const beaten = its.map(({ beats }) => beats.length)
  const answers = await Promise.all(its.map((pulse) => pulse.poke()))
  await owners.settled([staying.id])
  const signs = its.map(
    ({ beats }, n) => Math.min(answers[n] ?? Infinity, beats[beaten[n] ?? 0]?.came ?? Infinity) - from,
  )
  return await movedSince(from, rhythm, 'one of two is killed (SIGKILL)', its, signs)
}

const pair = async ({ engines: [one, other] }: Programs) => {
  if (one === undefined || other === undefined) throw new Error('two engines are needed')
  const [a, b] = await Promise.all(
    [one, other].map(async (server) => ({ server, id: (await statusOf(server)).engine })),
  )
  if (a === undefined || b === undefined) throw new Error('two engines are needed')
  return [a, b] as const
}

/** One move in each room, at times that are spread; resolves with how long each took. */
const pokesSpread = (pulses: readonly PulseRoom[], over: number): Promise<number[]> =>
  Promise.all(
    pulses.map(async (pulse) => {
      await sleep(Math.random() * over)
      const sent = Date.now()
      return (await pulse.poke()) - sent
    }),
  )

/** Once each room has beaten that was to beat. */
const movedSince = async (
  from: number,
  { most }: Rhythm,
  what: string,
  its: readonly PulseRoom[],
  signs: readonly number[],
): Promise<Moved> => {
  const until = from + most
  const patience = performance.now() + 60_000
  while (its.some(({ due }) => due <= until)) {
    if (performance.now() > patience) throw new Error(`${what}: rooms have stopped beating`)
    await sleep(50)
  }
  const moved = { what, rooms: its.length, signs: Float64Array.from(signs), late: latenesses(its, from, until) }
  console.log(rowOf(moved).join('  '))
  return moved
}

/** How late the beats came that fell due in this time. */
const latenesses = (pulses: readonly PulseRoom[], from: number, to: number): Float64Array =>
  Float64Array.from(
    pulses.flatMap(({ beats }) =>
      beats.filter(({ due }) => due >= from && due < to).map(({ due, came }) => came - due),
    ),
  )

const spread = (values: Float64Array): string[] => [0.5, 0.99, 1].map((share) => fixed(percentile(values, share)))

const rowOf = ({ what, rooms, signs, late }: Moved): string[] => [
  what,
  fixed(rooms),
  ...spread(signs),
  fixed(late.length),
  ...spread(late),
]

export const takeoverText = (taken: readonly Taken[], { rhythm: { least, most } }: Plan): string => {
  const kills = taken.map(({ moved }) => percentile(moved.at(-1)?.signs ?? new Float64Array(), 0.99))
  return [
    `Rooms of \`pulse\`, each with one connected player and a timer that fires every ${least / 1_000} to ${most / 1_000} s, on two engines and one gateway. One engine leaves, another comes, ` +
      'one is killed; the rows are about those rooms that get another owner by that. *Until play goes on*: after a kill, ms from the kill to the room’s first answered move or fired timer ' +
      `(each room’s player sends a move ${ON_ITS_WAY_MS} ms after it); else how long the answer took to one move of each room’s player, sent at a time within the first second, or the first ${COMING_MS / 1_000} s after a start. ` +
      `*Late*: by how much timers were seen late that fell due in the ${most / 1_000} s after the beginning. All in ms, as the players’ sockets were read.`,
    ...taken.map(({ level, calm, moved }) =>
      [
        `\`${level}\`:`,
        table(
          ['', 'rooms', 'until play goes on: p50', 'p99', 'most', 'timers', 'late: p50', 'p99', 'most'],
          [['nothing happens', '', '', '', '', fixed(calm.length), ...spread(calm)], ...moved.map(rowOf)],
        ),
      ].join('\n\n'),
    ),
    `Aim: p99 at most ${fixed(AIM_MS)} ms from a kill: ${taken.map(({ level }, n) => `\`${level}\` ${verdict((kills[n] ?? Infinity) <= AIM_MS)}`).join(', ')}.`,
  ].join('\n\n')
}

export const takeover: Benchmark = {
  name: 'takeover',
  title: 'Takeover of rooms with running timers',

  async run(quick) {
    const plan = { rooms: quick ? 50 : 1_000, rhythm: { least: 5_000, most: 10_000 } }
    const taken: Taken[] = []
    for (const level of ['jetstream-r1', 'jetstream-r3'] as const) taken.push(await measureTakeover(level, plan))
    return takeoverText(taken, plan)
  },
}
