import { describe, expect, test } from 'vitest'
import { threeInARow } from '../three-in-a-row.ts'
import { programOfThisFile } from './program.ts'
import { comeBack, dig, enter, first, nth, opsOf, Raw, record, table } from './raw.ts'

const { url } = await programOfThisFile()

const ROOM = /^[A-Za-z0-9_-]{1,64}$/
const err = (ref: number | null, code: string) => [34, ref, code, expect.stringMatching(/./)]

describe.concurrent('CREATE and JOIN', () => {
  test('CREATE: OK value is {room}; its creator is host and not joined; not public unless asked', async () => {
    const ann = await enter(url, 'Ann')
    const value = record(await ann.raw.ok(2, 'tictactoe'))
    expect(Object.keys(value)).toEqual(['room'])
    const room = String(value.room)
    expect(room).toMatch(ROOM)
    await ann.raw.ping()
    expect(opsOf(ann.raw.frames)).toEqual([32, 33, 39])
    const bob = await enter(url, 'Bob')
    expect(await bob.raw.join(room, { role: 'spectator' })).toMatchObject({ role: 'spectator' })
    await bob.raw.next(35)
    expect(bob.raw.see(room)).toEqual({
      room: { phase: 'open', game: 'tictactoe', version: expect.any(Number), host: ann.id, players: [], members: {} },
      game: null,
    })
    // With options of its own: no MATCH of the other tests may find it.
    const shown = await ann.raw.create('mafia', { night: 61, day: 62 }, { public: true })
    const listed = dig(await (await fetch(`${url}/v1/rooms`)).json(), 'rooms')
    expect(listed).toContainEqual({ room: shown, game: 'mafia', phase: 'open', players: 0, seats: 12 })
    expect(JSON.stringify(listed)).not.toContain(room)
    ann.raw.cut()
    bob.raw.cut()
  })

  test('JOIN: OK value {room, role, seq}, then STATE, whose document has one as member already and whose seq is the log’s end; no PATCH of one’s own joining', async () => {
    const ann = await enter(url, 'Ann')
    const room = await ann.raw.create('tictactoe')
    const value = await ann.raw.join(room)
    const [, , seq] = await ann.raw.next(35, 'STATE')
    expect(value).toEqual({ room, role: 'player', seq: expect.any(Number) })
    expect(seq).toBe(value.seq)
    expect(ann.raw.see(room, 'room')).toEqual({
      phase: 'open',
      game: 'tictactoe',
      version: 1,
      host: ann.id,
      players: [ann.id],
      members: { [ann.id]: { name: 'Ann', connected: true } },
    })
    expect(ann.raw.see(room, 'game')).toBeNull()
    await ann.raw.ping()
    expect(ann.raw.of(36)).toEqual([])
    ann.raw.cut()
  })

  test('roles: without one a player where there is a seat, else a spectator; player without a seat: room_full; spectators are not members', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const [ann] = seats
    await ann?.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    const cho = await enter(url, 'Cho')
    expect((await cho.raw.ask(3, room, { role: 'player' })).slice(2)).toEqual(['room_full', expect.any(String)])
    expect(cho.raw.of(35)).toEqual([])
    expect(await cho.raw.join(room)).toMatchObject({ role: 'spectator' })
    await cho.raw.until(() => cho.raw.held.has(room))
    expect(Object.keys(record(cho.raw.see(room, 'room', 'members')))).toEqual(seats.map(({ id }) => id))
    expect(cho.raw.see(room)).toEqual(ann?.raw.see(room))
    const open = await cho.raw.create('tictactoe')
    const dan = await enter(url, 'Dan')
    expect(await dan.raw.join(open, { role: 'spectator' })).toMatchObject({ role: 'spectator' })
    expect(await dan.raw.join(open, { role: 'player' })).toMatchObject({ role: 'player' })
    await dan.raw.until(() => dan.raw.see(open, 'room', 'players', 0) === dan.id)
    for (const { raw } of [...seats, cho, dan]) raw.cut()
  })

  test('joining again is harmless: same role, no new event, also as role spectator for one who is a player', async () => {
    const ann = await enter(url, 'Ann')
    const room = await ann.raw.create('mafia')
    const before = await ann.raw.join(room)
    for (const extra of [undefined, { role: 'player' }, { role: 'spectator' }]) {
      const again = await ann.raw.join(room, extra)
      expect(again).toEqual(before)
    }
    await ann.raw.ping()
    expect(ann.raw.see(room, 'room', 'players')).toEqual([ann.id])
    expect(ann.raw.broken).toEqual([])
    ann.raw.cut()
  })

  test('not_found: a game and a room that are not there, for each op that names one', async () => {
    const { raw } = await enter(url, 'Ann')
    expect(await raw.askAs(1, 2, 'chess')).toEqual(err(1, 'not_found'))
    expect(await raw.askAs(2, 9, 'chess')).toEqual(err(2, 'not_found'))
    expect(await raw.askAs(3, 3, 'no-such-room')).toEqual(err(3, 'not_found'))
    expect(await raw.askAs(4, 4, 'no-such-room')).toEqual(err(4, 'not_found'))
    expect(await raw.askAs(5, 5, 'no-such-room', 'mark', { cell: 0 })).toEqual(err(5, 'not_found'))
    expect(await raw.askAs(6, 7, 'no-such-room', 'start')).toEqual(err(6, 'not_found'))
    for (const name of ['constructor', '__proto__', 'toString'])
      expect((await raw.ask(2, name))[2], name).toBe('not_found')
    raw.cut()
  })

  test('options that the game refuses: invalid_payload with the issues path by path; the ref is not used up', async () => {
    const { raw } = await enter(url, 'Ann')
    for (const options of [{ night: 'long' }, { night: -1 }, 5, []]) {
      const answer = await raw.askAs(1, 2, 'mafia', options)
      expect(answer.slice(0, 3), JSON.stringify(options)).toEqual([34, 1, 'invalid_payload'])
      expect(answer[4]).toBeTruthy()
    }
    expect((await raw.askAs(1, 2, 'mafia', { night: 5 }))[0]).toBe(33)
    raw.cut()
  })

  test('two rooms on one connection, and one room on connections of several sessions of one player', async () => {
    const ann = await enter(url, 'Ann')
    const [one, two] = [await ann.raw.create('tictactoe'), await ann.raw.create('mafia')]
    await ann.raw.join(one)
    await ann.raw.join(two)
    const other = new Raw(url)
    await other.hello({ token: ann.guest.token })
    await other.join(one)
    const bob = await enter(url, 'Bob')
    await bob.raw.join(one)
    for (const raw of [ann.raw, other]) await raw.until(() => raw.see(one, 'room', 'phase') === 'playing')
    expect(ann.raw.see(two, 'room', 'phase')).toBe('open')
    await other.ok(5, one, 'mark', { cell: 4 })
    await ann.raw.until(() => ann.raw.see(one, 'game', 'cells', 4) === ann.id)
    for (const raw of [ann.raw, other, bob.raw]) {
      expect(raw.closed).toBeNull()
      raw.cut()
    }
  })
})

describe.concurrent('LEAVE', () => {
  test('while open the seat is free again and the member gone; OK; then not_member', async () => {
    const { room, seats } = await table(url, 'mafia', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    expect((await bob.raw.ask(4, room))[0]).toBe(33)
    await ann.raw.until(() => Object.keys(record(ann.raw.see(room, 'room', 'members'))).length === 1)
    expect(ann.raw.see(room, 'room', 'players')).toEqual([ann.id])
    expect((await bob.raw.ask(4, room))[2]).toBe('not_member')
    expect((await bob.raw.ask(5, room, 'vote', { target: ann.id }))[2]).toBe('not_member')
    expect((await bob.raw.ask(7, room, 'start'))[2]).toBe('not_member')
    const before = bob.raw.frames.length
    await ann.raw.ok(7, room, 'nothing').catch(() => null)
    await bob.raw.ping()
    expect(bob.raw.frames.slice(before).filter(([op]) => op === 36 || op === 35)).toEqual([])
    expect(await bob.raw.join(room)).toMatchObject({ role: 'player' })
    ann.raw.cut()
    bob.raw.cut()
  })

  test('later the player stays in players, not connected, and the rules are told (tictactoe: the other wins)', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    await ann.raw.ok(4, room)
    await bob.raw.until(() => bob.raw.see(room, 'room', 'phase') === 'over')
    expect(bob.raw.see(room, 'room')).toMatchObject({
      players: [ann.id, bob.id],
      host: bob.id,
      members: { [ann.id]: { name: 'tictactoe 0', connected: false }, [bob.id]: { connected: true } },
    })
    expect(bob.raw.see(room, 'game')).toMatchObject({ winner: bob.id, turn: null })
    for (const { raw } of seats) raw.cut()
  })

  test('a spectator leaves: nothing more is sent to it', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const eve = await enter(url, 'Eve')
    await eve.raw.join(room)
    await eve.raw.ok(4, room)
    const count = eve.raw.frames.length
    await first(seats).raw.ok(5, room, 'mark', { cell: 0 })
    await eve.raw.ping()
    expect(opsOf(eve.raw.frames.slice(count))).toEqual([39])
    for (const { raw } of [...seats, eve]) raw.cut()
  })
})

describe.concurrent('MOVE', () => {
  test('the OK value is the seq after it; the document shows it before the OK; others get one PATCH', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    await bob.raw.until(() => bob.raw.see(room, 'room', 'phase') === 'playing')
    const before = ann.raw.seq(room)
    expect(bob.raw.seq(room)).toBe(before)
    const ok = await ann.raw.ask(5, room, 'mark', { cell: 8 })
    expect(ok).toEqual([33, ok[1], before + 1])
    const own = ann.raw.frames.filter(([op]) => op !== 40).slice(-2)
    expect(own.map(([op]) => op)).toEqual([36, 33])
    expect(own[0]?.slice(0, 4)).toEqual([36, room, before, before + 1])
    await bob.raw.until(() => bob.raw.see(room, 'game', 'cells', 8) === ann.id)
    expect(bob.raw.seq(room)).toBe(before + 1)
    for (const { raw } of seats) raw.cut()
  })

  test('errors: illegal_move while open, out of turn, on a taken cell, when over; invalid_payload with detail; forbidden to spectators; not_member', async () => {
    const seats = [await enter(url, 'Ann'), await enter(url, 'Bob')] as const
    const [ann, bob] = seats
    const room = await ann.raw.create('tictactoe')
    expect(await ann.raw.askAs(500, 5, room, 'mark', { cell: 0 })).toEqual(err(500, 'not_member'))
    await ann.raw.join(room)
    expect(await ann.raw.askAs(600, 5, room, 'mark', { cell: 0 })).toEqual(err(600, 'illegal_move'))
    await bob.raw.join(room)
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    const eve = await enter(url, 'Eve')
    expect((await eve.raw.ask(5, room, 'mark', { cell: 0 }))[2]).toBe('not_member')
    await eve.raw.join(room)
    expect((await eve.raw.ask(5, room, 'mark', { cell: 0 }))[2]).toBe('forbidden')
    expect((await bob.raw.ask(5, room, 'mark', { cell: 0 })).slice(2, 4)).toEqual([
      'illegal_move',
      'It is not your turn.',
    ])
    for (const [type, payload] of [
      ['jump', { cell: 0 }],
      ['constructor', {}],
      ['mark', { cell: 9 }],
      ['mark', { cell: -1 }],
      ['mark', { cell: 0.5 }],
      ['mark', { cell: '0' }],
      ['mark', {}],
      ['mark', null],
      ['mark', undefined],
      ['mark', [0]],
    ]) {
      const answer = await ann.raw.ask(5, room, type, payload)
      expect(answer[2], JSON.stringify([type, payload])).toBe('invalid_payload')
      if (type === 'mark') expect(answer[4], JSON.stringify([type, payload])).toBeTruthy()
    }
    expect(JSON.stringify((await ann.raw.ask(5, room, 'mark', { cell: 9 }))[4])).toContain('cell')
    const seq = ann.raw.seq(room)
    expect(await ann.raw.ok(5, room, 'mark', { cell: 0 })).toBe(seq + 1)
    expect((await bob.raw.ask(5, room, 'mark', { cell: 0 }))[2]).toBe('illegal_move')
    for (const [who, cell] of [
      [bob, 3],
      [ann, 1],
      [bob, 4],
      [ann, 2],
    ] as const)
      await who.raw.ok(5, room, 'mark', { cell })
    expect((await bob.raw.ask(5, room, 'mark', { cell: 5 }))[2]).toBe('illegal_move')
    for (const { raw } of [...seats, eve]) {
      expect(raw.broken).toEqual([])
      raw.cut()
    }
  })

  test('a MOVE needs membership, not a JOIN on that connection', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const ann = first(seats)
    const other = new Raw(url)
    await other.hello({ token: ann.guest.token, session: 'another-of-ann-s' })
    expect((await other.ask(5, room, 'mark', { cell: 0 }))[0]).toBe(33)
    await ann.raw.until(() => ann.raw.see(room, 'game', 'cells', 0) === ann.id)
    await other.ping()
    expect(other.of(36)).toEqual([])
    other.cut()
    for (const { raw } of seats) raw.cut()
  })
})

describe.concurrent('CALL', () => {
  test('start: only the host, not with too few (conflict), once (conflict), then playing', async () => {
    const { room, seats } = await table(url, 'mafia', 4)
    const [host, guest] = [first(seats), nth(seats, 1)]
    expect((await host.raw.ask(7, room, 'start'))[2]).toBe('conflict')
    const eve = await enter(url, 'Eve')
    expect((await eve.raw.ask(7, room, 'start'))[2]).toBe('not_member')
    await eve.raw.join(room)
    expect((await guest.raw.ask(7, room, 'start'))[2]).toBe('forbidden')
    expect((await host.raw.askAs(700, 7, room, 'start'))[0]).toBe(33)
    expect(host.raw.see(room, 'room', 'phase')).toBe('playing')
    expect((await host.raw.askAs(701, 7, room, 'start'))[2]).toBe('conflict')
    expect((await host.raw.askAs(700, 7, room, 'start'))[0]).toBe(33)
    for (const { raw } of [...seats, eve]) raw.cut()
  })

  test('a host who has not joined may start and kick', async () => {
    const host = await enter(url, 'Host')
    const room = await host.raw.create('mafia')
    const seats = await Promise.all(Array.from({ length: 6 }, (_, i) => enter(url, `P ${i}`)))
    for (const { raw } of seats) await raw.join(room)
    const out = first(seats)
    expect((await host.raw.ask(7, room, 'kick', { player: out.id }))[0]).toBe(33)
    expect((await host.raw.ask(7, room, 'start'))[0]).toBe(33)
    const seen = nth(seats, 1).raw
    await seen.until(() => seen.see(room, 'room', 'phase') === 'playing')
    expect(seen.see(room, 'room', 'players')).toEqual(seats.slice(1).map(({ id }) => id))
    expect(seen.see(room, 'room', 'host')).toBe(host.id)
    for (const { raw } of [...seats, host]) raw.cut()
  })

  test('kick: the host only, out of the room; whom it names must be there (not_found); params that are none: invalid_payload', async () => {
    const { room, seats } = await table(url, 'mafia', 3)
    const [host, bob, cho] = [first(seats), nth(seats, 1), nth(seats, 2)]
    expect((await bob.raw.ask(7, room, 'kick', { player: cho.id }))[2]).toBe('forbidden')
    expect((await host.raw.ask(7, room, 'kick', { player: 'nobody' }))[2]).toBe('not_found')
    for (const params of [null, {}, { player: 5 }])
      expect((await host.raw.ask(7, room, 'kick', params))[2]).toBe('invalid_payload')
    expect((await host.raw.askAs(800, 7, room, 'kick', { player: cho.id }))[0]).toBe(33)
    expect(host.raw.see(room, 'room', 'players')).toEqual([host.id, bob.id])
    expect((await host.raw.askAs(800, 7, room, 'kick', { player: cho.id }))[0]).toBe(33)
    const count = cho.raw.frames.length
    for (const [op, ...rest] of [
      [7, room, 'start'],
      [5, room, 'vote', { target: host.id }],
    ] as const)
      expect(['not_member', 'forbidden']).toContain((await cho.raw.ask(op, ...rest))[2])
    expect(cho.raw.frames.slice(count).filter(([op]) => op === 36)).toEqual([])
    expect(cho.raw.closed).toBeNull()
    for (const { raw } of seats) raw.cut()
  })

  test('an unknown method: not_found', async () => {
    const { room, seats } = await table(url, 'tictactoe', 1)
    const { raw } = first(seats)
    for (const method of ['fly', 'constructor', '__proto__', 'media'])
      expect((await raw.ask(7, room, method))[2], method).toBe('not_found')
    raw.cut()
  })

  test('again: not before the end (conflict); then one new room for all, with those who are connected; value {room}', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    expect((await ann.raw.ask(7, room, 'again'))[2]).toBe('conflict')
    for (const [who, cell] of threeInARow(ann, bob)) await who.raw.ok(5, room, 'mark', { cell })
    await bob.raw.until(() => bob.raw.see(room, 'room', 'phase') === 'over')
    const value = await bob.raw.ok(7, room, 'again')
    expect(value).toEqual({ room: expect.stringMatching(ROOM) })
    const next = String(dig(value, 'room'))
    expect(next).not.toBe(room)
    expect(await ann.raw.ok(7, room, 'again')).toEqual(value)
    expect(await ann.raw.join(next)).toMatchObject({ role: 'player' })
    await ann.raw.until(() => ann.raw.held.has(next))
    expect(ann.raw.see(next, 'room')).toMatchObject({
      game: 'tictactoe',
      players: [ann.id, bob.id],
      phase: 'playing',
      host: ann.id,
    })
    for (const { raw } of seats) raw.cut()
  })
})

describe.concurrent('MATCH, CAST, INPUT', () => {
  test('MATCH: two who ask for the same game meet in one public room; other options, another room', async () => {
    const [ann, bob, cho] = [await enter(url, 'Ann'), await enter(url, 'Bob'), await enter(url, 'Cho')]
    const options = { night: 41, day: 42 }
    const value = await ann.raw.ok(9, 'mafia', options)
    expect(value).toEqual({ room: expect.stringMatching(ROOM) })
    const room = String(dig(value, 'room'))
    expect(await ann.raw.join(room)).toMatchObject({ role: 'player' })
    expect(await bob.raw.ok(9, 'mafia', options)).toEqual({ room })
    expect(await cho.raw.ok(9, 'mafia', { night: 43, day: 42 })).not.toEqual({ room })
    const listed = dig(await (await fetch(`${url}/v1/rooms?game=mafia`)).json(), 'rooms')
    expect(JSON.stringify(listed)).toContain(room)
    for (const { raw } of [ann, bob, cho]) raw.cut()
  })

  test('MATCH keeps its seat for 10 s against others: room_full for a player, then JOIN gets it', async () => {
    const [ann, bob, eve] = [await enter(url, 'Ann'), await enter(url, 'Bob'), await enter(url, 'Eve')]
    const room = String(dig(await ann.raw.ok(9, 'tictactoe'), 'room'))
    await ann.raw.join(room)
    expect(await bob.raw.ok(9, 'tictactoe')).toEqual({ room })
    expect((await eve.raw.ask(3, room, { role: 'player' }))[2]).toBe('room_full')
    expect(String(dig(await eve.raw.ok(9, 'tictactoe'), 'room'))).not.toBe(room)
    expect(await bob.raw.join(room, { role: 'player' })).toMatchObject({ role: 'player' })
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    for (const { raw } of [ann, bob, eve]) raw.cut()
  })

  test('MATCH finds a public room that a CREATE made, and never a private one', async () => {
    const [ann, bob] = [await enter(url, 'Ann'), await enter(url, 'Bob')]
    const options = { night: 51, day: 52 }
    const hidden = await ann.raw.create('mafia', options)
    await ann.raw.join(hidden)
    const shown = await ann.raw.create('mafia', options, { public: true })
    await ann.raw.join(shown)
    expect(await bob.raw.ok(9, 'mafia', options)).toEqual({ room: shown })
    ann.raw.cut()
    bob.raw.cut()
  })

  test('CAST on a channel that is not declared, or to a room that is not there: ERR forbidden with ref nil; allowed ones have no answer', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const { raw } = first(seats)
    for (const target of [room, 'no-such-room']) {
      raw.send([6, target, 'stroke', new Uint8Array([1, 2, 3])])
      expect(await raw.next(34)).toEqual(err(null, 'forbidden'))
    }
    for (const { raw } of seats) raw.cut()
  })

  test('INPUT where there are no ticks has no answer and no effect', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const { raw } = first(seats)
    await raw.until(() => raw.see(room, 'room', 'phase') === 'playing')
    await raw.ping()
    const count = raw.frames.filter(([op]) => op !== 40).length
    raw.send([10, room, { dx: 1 }], [10, 'no-such-room', {}])
    await raw.ok(5, room, 'mark', { cell: 0 })
    expect(
      raw.frames
        .filter(([op]) => op !== 40)
        .slice(count)
        .map(([op]) => op),
    ).toEqual([36, 33])
    for (const { raw } of seats) raw.cut()
  })

  test('NOTE spectators: its data is the count, a number', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const eve = await enter(url, 'Eve')
    await eve.raw.join(room)
    const note = await first(seats).raw.next((f) => f[0] === 40 && f[3] === 1)
    expect(note).toEqual([40, room, 'spectators', 1])
    for (const { raw } of [...seats, eve]) raw.cut()
  })

  test('after a cut, the same session on a new socket goes on with its room', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const ann = first(seats)
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    const since = ann.raw.seq(room)
    ann.raw.cut()
    const back = await comeBack(url, ann)
    expect(await back.askAs(900, 3, room, { since })).toEqual([33, 900, { room, role: 'player', seq: since }])
    await back.ping()
    expect(opsOf(back.frames)).toEqual([32, 33, 39])
    back.cut()
    nth(seats, 1).raw.cut()
  })
})
