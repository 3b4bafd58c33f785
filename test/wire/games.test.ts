import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Program, startMadang, temporaryFolder } from '../program.ts'
import { comeBack, cutAll, dig, type Entered, enter, first, nth, table } from './raw.ts'

const data = temporaryFolder()
const games = ['games', 'loadtest/games'].map((folder) => resolve(folder)).join(',')
let program: Program
let url = ''
beforeAll(async () => {
  program = await startMadang(['--data', data.path, '--games', games])
  url = program.url
})
afterAll(async () => {
  await program.kill()
  data[Symbol.dispose]()
})

/** Two who play these cells in turn, the first to join first. */
const play = async (cells: number[]) => {
  const { room, seats } = await table(url, 'tictactoe', 2)
  const [ann, bob] = [first(seats), nth(seats, 1)]
  for (const { raw } of seats) await raw.until(() => raw.see(room, 'room', 'phase') === 'playing')
  let seq = 0
  for (const [turn, cell] of cells.entries())
    seq = Number(await (turn % 2 === 0 ? ann : bob).raw.ok(5, room, 'mark', { cell }))
  for (const { raw } of seats) await raw.until(() => raw.seq(room) >= seq)
  return { room, seats, ann, bob }
}

describe.concurrent('tictactoe', () => {
  test('starts by itself when 2 have joined; the first to join begins; the document is {cells, turn, winner}', async () => {
    const { room, seats, ann, bob } = await play([])
    expect(ann.raw.see(room, 'game')).toEqual({ cells: Array(9).fill(null), turn: ann.id, winner: null })
    await ann.raw.ok(5, room, 'mark', { cell: 2 })
    expect(ann.raw.see(room, 'game')).toEqual({
      cells: [null, null, ann.id, null, null, null, null, null, null],
      turn: bob.id,
      winner: null,
    })
    cutAll(seats)
  })

  test('a line wins, on each of the eight; turn is null then and the room is over', async () => {
    for (const line of ['012', '345', '678', '036', '147', '258', '048', '246']) {
      const own = [...line].map(Number)
      const free = [0, 1, 2, 3, 4, 5, 6, 7, 8].filter((cell) => !own.includes(cell))
      // The other one takes two that make no line.
      const { room, seats, ann } = await play([nth(own, 0), nth(free, 0), nth(own, 1), nth(free, 1), nth(own, 2)])
      expect(ann.raw.see(room, 'game'), line).toMatchObject({ winner: ann.id, turn: null })
      expect(ann.raw.see(room, 'room', 'phase')).toBe('over')
      cutAll(seats)
    }
  })

  test('a full board without a line is a draw', async () => {
    const { room, seats, bob } = await play([0, 1, 2, 4, 3, 5, 7, 6, 8])
    expect(bob.raw.see(room, 'game')).toMatchObject({ winner: 'draw', turn: null })
    expect(bob.raw.see(room, 'room', 'phase')).toBe('over')
    cutAll(seats)
  })
})

describe.concurrent('bench', () => {
  test('starts by itself when 8 have joined; a move sets its cell and adds 1 to score and turn; payloads are checked', async () => {
    const { room, seats } = await table(url, 'bench', 7)
    const { raw, id } = first(seats)
    await raw.ping()
    expect(raw.see(room, 'room', 'phase')).toBe('open')
    const last = await enter(url, 'Last')
    await last.raw.join(room)
    await raw.until(() => raw.see(room, 'room', 'phase') === 'playing')
    expect(raw.see(room, 'game')).toEqual({
      cells: Array(64).fill(0),
      scores: Object.fromEntries([...seats, last].map((seat) => [seat.id, 0])),
      turn: 0,
      secret: 1,
    })
    await raw.ok(5, room, 'set', { cell: 63, value: -5 })
    expect(raw.see(room, 'game', 'cells', 63)).toBe(-5)
    expect(raw.see(room, 'game', 'scores', id)).toBe(1)
    expect(raw.see(room, 'game', 'turn')).toBe(1)
    expect(raw.see(room, 'game', 'secret')).toBe((Math.imul(1, 31) - 5) & 0x7fffffff)
    for (const payload of [{ cell: 64, value: 1 }, { cell: 0, value: 1.5 }, { cell: 0, value: '1' }, { cell: 0 }])
      expect((await raw.ask(5, room, 'set', payload))[2]).toBe('invalid_payload')
    cutAll([...seats, last])
  })
})

/** A mafia that has begun: who is who as each was told. */
const town = async (count: number, options: { night?: number; day?: number }, at = url) => {
  const { room, seats } = await table(at, 'mafia', count, options)
  await first(seats).raw.ok(7, room, 'start')
  for (const { raw } of seats) await raw.until(() => raw.see(room, 'room', 'phase') === 'playing')
  const mafia = seats.filter(({ raw }) => raw.see(room, 'game', 'role') === 'mafia')
  const citizens = seats.filter((seat) => !mafia.includes(seat))
  return { room, seats, mafia, citizens }
}
const vote = (room: string, by: Entered, target: Entered) => by.raw.ask(5, room, 'vote', { target: target.id })
const phase = (room: string, all: Entered[], wanted: string, round: number) =>
  Promise.all(
    all.map(({ raw }) =>
      raw.until(() => raw.see(room, 'game', 'phase') === wanted && raw.see(room, 'game', 'round') === round),
    ),
  )
const LONG = { night: 600, day: 600 }

describe.concurrent('mafia', () => {
  test('max(1, floor(n / 4)) mafia; night first, round 1; the whole document, to a citizen and to the mafia', async () => {
    for (const [count, mafias] of [
      [5, 1],
      [8, 2],
      [12, 3],
    ] as const) {
      const before = Date.now()
      const { room, seats, mafia, citizens } = await town(count, LONG)
      expect(mafia).toHaveLength(mafias)
      const shared = {
        phase: 'night',
        round: 1,
        alive: seats.map(({ id }) => id),
        dead: {},
        endsAt: expect.any(Number),
        winner: null,
      }
      expect(first(citizens).raw.see(room, 'game')).toEqual({ ...shared, role: 'citizen', mafia: null, votes: null })
      expect(first(mafia).raw.see(room, 'game')).toEqual({
        ...shared,
        role: 'mafia',
        mafia: mafia.map(({ id }) => id),
        votes: {},
      })
      const endsAt = Number(first(seats).raw.see(room, 'game', 'endsAt'))
      expect(endsAt - before).toBeGreaterThanOrEqual(600_000)
      expect(endsAt - Date.now()).toBeLessThanOrEqual(600_000)
      cutAll(seats)
    }
  })

  test('options default to a night of 30 and a day of 120 seconds', async () => {
    const { room, seats, mafia, citizens } = await town(5, {})
    const left = () => Number(first(seats).raw.see(room, 'game', 'endsAt')) - Date.now()
    expect(left()).toBeGreaterThan(20_000)
    expect(left()).toBeLessThanOrEqual(30_000)
    expect((await vote(room, first(mafia), first(citizens)))[0]).toBe(33)
    await phase(room, seats, 'day', 1)
    expect(left()).toBeGreaterThan(110_000)
    expect(left()).toBeLessThanOrEqual(120_000)
    cutAll(seats)
  })

  test('who may vote for whom: by night the mafia, not for its own nor the dead; by day the living, for themselves too; the dead never', async () => {
    const { room, seats, mafia, citizens } = await town(8, LONG)
    const [one, two] = [first(mafia), nth(mafia, 1)]
    const victim = first(citizens)
    expect((await vote(room, victim, one))[2]).toBe('illegal_move')
    expect((await vote(room, one, two))[2]).toBe('illegal_move')
    expect((await vote(room, one, one))[2]).toBe('illegal_move')
    expect((await one.raw.ask(5, room, 'vote', { target: 'nobody' }))[2]).toBe('illegal_move')
    expect((await one.raw.ask(5, room, 'vote', { target: 5 }))[2]).toBe('invalid_payload')
    expect((await vote(room, one, nth(citizens, 3)))[0]).toBe(33)
    expect((await vote(room, one, victim))[0]).toBe(33)
    expect(one.raw.see(room, 'game', 'votes')).toEqual({ [one.id]: victim.id })
    expect((await vote(room, two, victim))[0]).toBe(33)
    await phase(room, seats, 'day', 1)
    for (const { raw } of seats) {
      expect(raw.see(room, 'game', 'dead')).toEqual({ [victim.id]: 'citizen' })
      expect(raw.see(room, 'game', 'votes')).toEqual({})
      expect(raw.see(room, 'game', 'alive')).not.toContain(victim.id)
    }
    expect(victim.raw.see(room, 'game', 'mafia')).toBeNull()
    expect((await vote(room, victim, one))[2]).toBe('illegal_move')
    expect((await vote(room, one, victim))[2]).toBe('illegal_move')
    const voter = nth(citizens, 1)
    expect((await vote(room, voter, voter))[0]).toBe(33)
    await Promise.all(seats.map(({ raw }) => raw.until(() => raw.see(room, 'game', 'votes', voter.id) === voter.id)))
    cutAll(seats)
  })

  test('by day the most votes is out and the role is public; a tie spares everyone, and so by night', async () => {
    const { room, seats, mafia, citizens } = await town(9, LONG)
    expect(mafia).toHaveLength(2)
    const [one, two] = [first(mafia), nth(mafia, 1)]
    await vote(room, one, first(citizens))
    await vote(room, two, nth(citizens, 1))
    await phase(room, seats, 'day', 1)
    expect(one.raw.see(room, 'game', 'dead')).toEqual({})
    // Nine living: four for one, four for another, one for a third.
    for (const [i, seat] of seats.entries())
      await vote(room, seat, i < 4 ? first(citizens) : i < 8 ? nth(citizens, 1) : nth(citizens, 2))
    await phase(room, seats, 'night', 2)
    expect(one.raw.see(room, 'game', 'dead')).toEqual({})
    await vote(room, one, first(citizens))
    await vote(room, two, first(citizens))
    await phase(room, seats, 'day', 2)
    const living = seats.filter((seat) => seat !== first(citizens))
    for (const seat of living) await vote(room, seat, one)
    await phase(room, seats, 'night', 3)
    for (const { raw } of seats)
      expect(raw.see(room, 'game', 'dead')).toEqual({ [first(citizens).id]: 'citizen', [one.id]: 'mafia' })
    cutAll(seats)
  })

  test('citizens win when no mafia lives; votes and endsAt are null then, mafia is told to all', async () => {
    const { room, seats, mafia, citizens } = await town(5, LONG)
    const eve = await enter(url, 'Eve')
    await eve.raw.join(room)
    await vote(room, first(mafia), first(citizens))
    await phase(room, seats, 'day', 1)
    for (const seat of seats) if (seat !== first(citizens)) await vote(room, seat, first(mafia))
    const role = (seat: Entered | null) => (seat === null ? null : seat === first(mafia) ? 'mafia' : 'citizen')
    for (const seat of [...seats, null]) {
      const { raw } = seat ?? eve
      await raw.until(() => raw.see(room, 'game', 'phase') === 'over')
      expect(raw.see(room, 'room', 'phase')).toBe('over')
      expect(raw.see(room, 'game')).toMatchObject({
        winner: 'citizen',
        votes: null,
        endsAt: null,
        mafia: [first(mafia).id],
        role: role(seat),
        dead: { [first(mafia).id]: 'mafia' },
      })
    }
    expect((await vote(room, first(mafia), nth(citizens, 1)))[2]).toBe('illegal_move')
    cutAll([...seats, eve])
  })

  test('the mafia wins at parity', async () => {
    const { room, seats, mafia, citizens } = await town(5, LONG)
    await vote(room, first(mafia), first(citizens))
    await phase(room, seats, 'day', 1)
    const living = seats.filter((seat) => seat !== first(citizens))
    for (const seat of living) await vote(room, seat, nth(citizens, 1))
    await phase(room, seats, 'night', 2)
    await vote(room, first(mafia), nth(citizens, 2))
    for (const { raw } of seats) await raw.until(() => raw.see(room, 'game', 'phase') === 'over')
    expect(first(seats).raw.see(room, 'game')).toMatchObject({ winner: 'mafia', endsAt: null, votes: null })
    cutAll(seats)
  })

  test('a phase ends at its deadline: nobody votes, nobody dies, night becomes day becomes night', async () => {
    const { room, seats } = await town(5, { night: 3, day: 3 })
    const { raw } = first(seats)
    const night = Number(raw.see(room, 'game', 'endsAt'))
    const day = Number(
      await raw.until(() => raw.see(room, 'game', 'phase') === 'day' && Number(raw.see(room, 'game', 'endsAt'))),
    )
    expect(Date.now()).toBeGreaterThanOrEqual(night - 50)
    expect(day - night).toBeGreaterThanOrEqual(3000)
    expect(day - night).toBeLessThan(5000)
    await phase(room, seats, 'night', 2)
    expect(raw.see(room, 'game')).toMatchObject({ dead: {}, winner: null })
    cutAll(seats)
  })

  test('who leaves in play is out of the town: role public, and the end is looked at', async () => {
    const { room, seats, mafia, citizens } = await town(5, LONG)
    await first(mafia).raw.ok(4, room)
    const { raw } = first(citizens)
    await raw.until(() => raw.see(room, 'game', 'phase') === 'over')
    expect(raw.see(room, 'game')).toMatchObject({ winner: 'citizen', dead: { [first(mafia).id]: 'mafia' } })
    cutAll(seats)
  })

  test('kill -9 in the night: the deadline stands and fires after the restart; one that fell due while nobody ran fires once', async () => {
    const own = temporaryFolder()
    const before = await startMadang(['--data', own.path])
    const soon = await town(5, { night: 4, day: 600 }, before.url)
    const endsAt = Number(first(soon.seats).raw.see(soon.room, 'game', 'endsAt'))
    const due = await town(5, { night: 0.5, day: 600 }, before.url)
    const was = first(due.seats).raw.see(due.room, 'game', 'phase')
    await before.kill('SIGKILL')
    await new Promise((done) => setTimeout(done, 700))
    const after = await startMadang(['--data', own.path], { port: before.port })
    const raw = await comeBack(after.url, first(soon.seats))
    await raw.join(soon.room)
    await raw.until(() => raw.held.has(soon.room))
    if (raw.see(soon.room, 'game', 'phase') === 'night') expect(raw.see(soon.room, 'game', 'endsAt')).toBe(endsAt)
    await raw.until(() => raw.see(soon.room, 'game', 'phase') === 'day')
    expect(Date.now()).toBeGreaterThanOrEqual(endsAt - 50)
    expect(raw.see(soon.room, 'game', 'round')).toBe(1)
    const other = await comeBack(after.url, first(due.seats))
    await other.join(due.room)
    await other.until(() => other.see(due.room, 'game', 'phase') === 'day')
    expect(['night', 'day']).toContain(was)
    expect(other.see(due.room, 'game', 'round')).toBe(1)
    expect(Number(other.see(due.room, 'game', 'endsAt'))).toBeGreaterThan(Date.now() + 500_000)
    expect(dig(other.see(due.room, 'room', 'players'), 'length')).toBe(5)
    cutAll([...soon.seats, ...due.seats])
    await after.kill()
    own[Symbol.dispose]()
  })
})
