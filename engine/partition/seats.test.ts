import { beforeEach, expect, test } from 'vitest'
import type { Seats, SeatsOfRoom } from '../../bus/messages.ts'
import { encodedSize } from '../../protocol/size.ts'
import { type VirtualClock, virtualClock } from '../../test/virtual-clock.ts'
import { SeatsElsewhere } from './seats.ts'
import { Cluster } from './testing/cluster.ts'
import { gameOf } from './testing/games.ts'

const seats = (room: string, free = 1, more: Partial<SeatsOfRoom> = {}): SeatsOfRoom => ({
  room,
  game: 'pair',
  rules: 'h',
  options: {},
  players: 0,
  free,
  ...more,
})
const said = (engine: string, ...rooms: SeatsOfRoom[]): Seats => ({ kind: 'seats', engine, rooms })

let clock: VirtualClock
let elsewhere: SeatsElsewhere
beforeEach(() => {
  clock = virtualClock()
  elsewhere = new SeatsElsewhere('me', clock)
})
const open = (game = 'pair'): string[] => Array.from(elsewhere.of(game), ({ room, free }) => `${room}:${free}`)

test('what an engine says replaces all that it said before; its own rooms an engine knows better', () => {
  elsewhere.heard(said('a', seats('one'), seats('two', 2), seats('other', 1, { game: 'trio' })))
  elsewhere.heard(said('b', seats('three')))
  elsewhere.heard(said('me', seats('mine')))
  expect(open()).toEqual(['one:1', 'two:2', 'three:1'])
  expect(open('trio')).toEqual(['other:1'])
  elsewhere.heard(said('a', seats('two', 1)))
  expect(open().sort()).toEqual(['three:1', 'two:1'])
  expect(open('trio')).toEqual([])
})

test('an engine that is silent for 3 s has no rooms any more', async () => {
  elsewhere.heard(said('a', seats('one')))
  await clock.advance(2_000)
  elsewhere.heard(said('b', seats('two')))
  await clock.advance(999)
  expect(open()).toEqual(['one:1', 'two:1'])
  await clock.advance(1)
  expect(open()).toEqual(['two:1'])
  elsewhere.close()
  expect(clock.timers).toBe(0)
})

test('a room that moved to another engine stays when its first one speaks without it', () => {
  elsewhere.heard(said('a', seats('one')))
  elsewhere.heard(said('b', seats('one', 2)))
  elsewhere.heard(said('a'))
  expect(open()).toEqual(['one:2'])
})

test('seats that are given away are fewer until the engine speaks again', () => {
  elsewhere.heard(said('a', seats('one', 2), seats('two')))
  elsewhere.take('pair', 'one')
  elsewhere.full('pair', 'two')
  elsewhere.take('pair', 'unknown')
  expect(open()).toEqual(['one:1'])
  elsewhere.take('pair', 'one')
  expect(open()).toEqual([])
  elsewhere.heard(said('a', seats('one', 2), seats('two')))
  expect(open()).toEqual(['one:2', 'two:1'])
})

test('a room that is being made counts at once, until its engine speaks of it or 3 s have passed', async () => {
  elsewhere.made(seats('new', 2))
  elsewhere.made(seats('late', 2))
  expect(open()).toEqual(['new:2', 'late:2'])
  elsewhere.heard(said('a', seats('new', 1)))
  await clock.advance(2_000)
  elsewhere.heard(said('a', seats('new', 1)))
  await clock.advance(1_000)
  expect(open()).toEqual(['new:1'])
  elsewhere.heard(said('a'))
  expect(open()).toEqual([])
})

test('a room that is made again counts for 3 s from then; when all is over no timer is left', async () => {
  elsewhere.made(seats('new', 2))
  await clock.advance(2_000)
  elsewhere.made(seats('new', 2))
  await clock.advance(2_000)
  expect(open()).toEqual(['new:2'])
  elsewhere.close()
  expect(clock.timers).toBe(0)
})

const GAMES = ['many', 'few'].map((id) =>
  gameOf(id, {
    before: `const opts = { '~standard': { version: 1, vendor: 'test', validate: (v) => ({ value: v }) } }`,
    head: 'players: [2, 4], options: opts',
    machine: 'context: { n: 0 }, on: { say: { actions: assign({ n: ({ context }) => context.n + 1 }) } }',
    face: 'everyone: () => ({}), dropIn: true',
  }),
)

const cluster = async () => {
  const made = await Cluster.start(GAMES, (partition) => (partition % 2 ? 'a' : 'b'))
  const spoken = (): Seats[] =>
    made.published.flatMap(({ message }) => (message.kind === 'seats' && message.engine === 'a' ? [message] : []))
  return { made, spoken }
}

test('an engine says what has changed within 50 ms, changes together, and once a second in any case', async () => {
  const { made, spoken } = await cluster()
  const ann = made.gateways[0].connect('ann')
  const [one, two] = [made.roomAt('a'), made.roomAt('a', 1)]
  await made.clock.advance(500)
  const before = spoken().length
  await ann.create(one, 'many', {}, { public: true })
  await ann.create(two, 'many', {}, { public: true })
  await ann.create(made.roomAt('a', 2), 'many', {})
  await made.clock.advance(50)
  expect(spoken().length).toBe(before + 1)
  expect(
    new Set(
      spoken()
        .at(-1)
        ?.rooms.map(({ room }) => room),
    ),
  ).toEqual(new Set([one, two]))
  await ann.join(one, { role: 'player' })
  await made.clock.advance(50)
  expect(spoken().at(-1)?.rooms).toContainEqual(expect.objectContaining({ room: one, players: 1, free: 3 }))
  expect(spoken().length).toBe(before + 2)
  await made.clock.advance(5_000)
  expect(spoken().length).toBe(before + 7)
})

test('P5 bounded: at most 256 rooms and 256 KiB in a message, the fullest of each game and options first', async () => {
  const { made, spoken } = await cluster()
  const ann = made.gateways[0].connect('ann')
  for (let n = 0; n < 300; n++) await ann.create(made.roomAt('a', n), 'many', {}, { public: true })
  const [few, fullest] = [made.roomAt('a', 300), made.roomAt('a', 299)]
  await ann.create(few, 'few', {}, { public: true })
  await ann.join(fullest, { role: 'player' })
  await made.clock.advance(1_000)
  const rooms = spoken().at(-1)?.rooms ?? []
  expect(rooms).toHaveLength(256)
  expect(new Set(rooms.slice(0, 2).map(({ room }) => room))).toEqual(new Set([few, fullest]))
  for (let n = 301; n < 401; n++)
    await ann.create(made.roomAt('a', n), 'few', { n, x: 'x'.repeat(8_000) }, { public: true })
  await made.clock.advance(1_000)
  const large = spoken().at(-1)?.rooms ?? []
  expect(large.length).toBeGreaterThan(20)
  expect(encodedSize(large)).toBeLessThan(270_000)
})

test('what changes nothing about seats is not said, and what changes all the time does not keep the rest back', async () => {
  const { made, spoken } = await cluster()
  const [busy, other] = [made.roomAt('a'), made.roomAt('a', 1)]
  const players = ['ann', 'bob', 'cas', 'dan'].map((id) => made.gateways[0].connect(id))
  await players[0]?.create(busy, 'many', {}, { public: true })
  await players[0]?.join(busy, { role: 'player' })
  await made.clock.advance(1_500)
  const before = spoken().length
  for (let n = 0; n < 10; n++) expect(await players[0]?.move(busy, 'say')).toMatchObject({ ok: expect.any(Number) })
  await players[0]?.create(made.roomAt('a', 2), 'many')
  await made.clock.advance(400)
  expect(spoken().length).toBe(before)
  await players[0]?.create(other, 'many', {}, { public: true })
  for (const player of players.slice(1)) {
    await player.join(busy, { role: 'player' })
    await made.clock.advance(20)
  }
  expect(spoken()[before]?.rooms.map(({ room }) => room)).toContain(other)
})

test('a room whose players are all away is not spoken of', async () => {
  const { made, spoken } = await cluster()
  const room = made.roomAt('a')
  const [ann, bob] = [made.gateways[0].connect('ann'), made.gateways[1].connect('bob')]
  await ann.create(room, 'many', {}, { public: true })
  await ann.join(room, { role: 'player' })
  await bob.join(room, { role: 'player' })
  await ann.drop()
  await made.clock.advance(6_100)
  expect(
    spoken()
      .at(-1)
      ?.rooms.map((seats) => seats.room),
  ).toEqual([room])
  await bob.drop()
  await made.clock.advance(6_100)
  expect(spoken().at(-1)?.rooms).toEqual([])
})

test('an engine that is alone says nothing', async () => {
  const made = await Cluster.start(GAMES, () => 'a')
  await made.gateways[0].connect('ann').create('r', 'many', {}, { public: true })
  await made.clock.advance(3_000)
  expect(made.published.filter(({ subject }) => subject === 'seats')).toEqual([])
})
