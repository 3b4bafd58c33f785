import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Program, startMadang, temporaryFolder } from '../program.ts'
import { threeInARow } from '../three-in-a-row.ts'
import { comeBack, cutAll, dig, type Entered, enter, first, nth, postJson, Raw, table } from './raw.ts'

const data = temporaryFolder()
const games = ['games', 'loadtest/games'].map((folder) => resolve(folder)).join(',')
const ARGS = ['--data', data.path, '--games', games, '--rate', '2000']
let program: Program
let url = ''
beforeAll(async () => {
  program = await startMadang(ARGS)
  url = program.url
})
afterAll(async () => {
  await program.kill()
  data[Symbol.dispose]()
})

const OTHER_REF = [34, expect.any(Number), 'conflict', expect.any(String)]

describe.concurrent('P2 exactly once, while it runs', () => {
  test('a MOVE sent twice in a row, on another socket of the session, and after a reconnect: one effect, the same OK', async () => {
    const { room, seats } = await table(url, 'bench', 8)
    const ann = first(seats)
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    const move = [5, 100, room, 'set', { cell: 1, value: 5 }]
    ann.raw.send(move, move)
    const ok = await ann.raw.answer(100)
    expect(await ann.raw.answer(100)).toEqual(ok)
    const other = await comeBack(url, ann)
    other.send(move)
    expect(await other.answer(100)).toEqual(ok)
    await other.join(room)
    await other.until(() => other.held.has(room))
    expect(other.see(room, 'game', 'turn')).toBe(1)
    expect(other.see(room, 'game', 'scores', ann.id)).toBe(1)
    other.cut()
    const third = await comeBack(url, ann)
    third.send(move)
    expect(await third.answer(100)).toEqual(ok)
    third.cut()
    cutAll(seats)
  })

  test('refs in any order; the same ref with other content: conflict; another session has refs of its own', async () => {
    const { room, seats } = await table(url, 'bench', 8)
    const ann = first(seats)
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    const answers = new Map<number, unknown>()
    for (const ref of [150, 120, 149, 121, 130])
      answers.set(ref, await ann.raw.askAs(ref, 5, room, 'set', { cell: 0, value: ref }))
    for (const [ref, answer] of answers) {
      expect(answer).toEqual([33, ref, expect.any(Number)])
      expect(await ann.raw.askAs(ref, 5, room, 'set', { cell: 0, value: ref })).toEqual(answer)
      expect(await ann.raw.askAs(ref, 5, room, 'set', { cell: 1, value: ref })).toEqual(OTHER_REF)
    }
    expect((await ann.raw.askAs(150, 5, room, 'set', { cell: 0 })).slice(0, 2)).toEqual([34, 150])
    const other = new Raw(url)
    await other.hello({ token: ann.guest.token })
    expect((await other.askAs(150, 5, room, 'set', { cell: 2, value: 2 }))[0]).toBe(33)
    await ann.raw.until(() => ann.raw.see(room, 'game', 'turn') === 6)
    other.cut()
    cutAll(seats)
  })

  test('the last 64 answers are kept; a ref whose answer is not kept any longer: conflict, and never a second effect', async () => {
    const { room, seats } = await table(url, 'bench', 8)
    const ann = first(seats)
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    const oks: unknown[] = []
    for (let ref = 101; ref <= 200; ref++) oks.push(await ann.raw.askAs(ref, 5, room, 'set', { cell: 0, value: ref }))
    for (let ref = 200; ref > 200 - 64; ref--)
      expect(await ann.raw.askAs(ref, 5, room, 'set', { cell: 0, value: ref }), String(ref)).toEqual(oks[ref - 101])
    for (const ref of [101, 110, 135])
      expect(await ann.raw.askAs(ref, 5, room, 'set', { cell: 0, value: ref })).toEqual(OTHER_REF)
    expect(ann.raw.see(room, 'game', 'turn')).toBe(100)
    cutAll(seats)
  })

  test('the last 8 sessions of a player are remembered', async () => {
    const { room, seats } = await table(url, 'bench', 8)
    const ann = first(seats)
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    const raws = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const raw = new Raw(url)
        await raw.hello({ token: ann.guest.token, session: `session-number-${i}` })
        return raw
      }),
    )
    const oks: unknown[] = []
    for (const raw of raws) oks.push(await raw.askAs(7, 5, room, 'set', { cell: 3, value: 3 }))
    for (const [i, raw] of raws.entries())
      expect(await raw.askAs(7, 5, room, 'set', { cell: 3, value: 3 })).toEqual(oks[i])
    expect(new Set(oks.map((ok) => dig(ok, 2))).size).toBe(8)
    for (const raw of raws) raw.cut()
    cutAll(seats)
  })

  test('a refusal does not consume its ref: the refused move may be tried again, also with other content', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    await bob.raw.until(() => bob.raw.see(room, 'room', 'phase') === 'playing')
    expect((await bob.raw.askAs(50, 5, room, 'mark', { cell: 4 }))[2]).toBe('illegal_move')
    expect((await bob.raw.askAs(50, 5, room, 'mark', { cell: 40 }))[2]).toBe('invalid_payload')
    await ann.raw.ok(5, room, 'mark', { cell: 0 })
    expect((await bob.raw.askAs(50, 5, room, 'mark', { cell: 4 }))[0]).toBe(33)
    expect((await bob.raw.askAs(50, 5, room, 'mark', { cell: 4 }))[0]).toBe(33)
    expect((await bob.raw.askAs(51, 3, 'no-such-room'))[2]).toBe('not_found')
    expect((await bob.raw.askAs(51, 2, 'tictactoe'))[0]).toBe(33)
    cutAll(seats)
  })

  test('CREATE again: the same room; with other content: conflict; of another player or session: another room', async () => {
    const ann = await enter(url, 'Ann')
    const made = await ann.raw.askAs(1, 2, 'mafia', { night: 9 }, { public: true })
    expect(made[0]).toBe(33)
    expect(await ann.raw.askAs(1, 2, 'mafia', { night: 9 }, { public: true })).toEqual(made)
    expect(await ann.raw.askAs(1, 2, 'mafia', { night: 8 }, { public: true })).toEqual(OTHER_REF)
    expect(await ann.raw.askAs(1, 2, 'tictactoe')).toEqual(OTHER_REF)
    const listed = dig(await (await fetch(`${url}/v1/rooms?game=mafia`)).json(), 'rooms')
    expect((listed as { room: string }[]).filter(({ room }) => room === dig(made, 2, 'room'))).toHaveLength(1)
    ann.raw.cut()
  })

  test('JOIN, MATCH, LEAVE, CALL again: the OK of the first, one effect', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    const cho = await enter(url, 'Cho')
    const open = await cho.raw.create('mafia')
    const joined = await cho.raw.askAs(20, 3, open)
    expect(await cho.raw.askAs(20, 3, open)).toEqual(joined)
    await cho.raw.ping()
    expect(cho.raw.see(open, 'room', 'players')).toEqual([cho.id])
    const options = { night: 77, day: 78 }
    const matched = await cho.raw.askAs(21, 9, 'mafia', options)
    expect(matched[0]).toBe(33)
    expect(await cho.raw.askAs(21, 9, 'mafia', options)).toEqual(matched)
    for (const [who, cell] of threeInARow(ann, bob)) await who.raw.ok(5, room, 'mark', { cell })
    const next = await ann.raw.askAs(30, 7, room, 'again')
    expect(next[0]).toBe(33)
    expect(await ann.raw.askAs(30, 7, room, 'again')).toEqual(next)
    expect(dig(await bob.raw.askAs(31, 7, room, 'again'), 2)).toEqual(dig(next, 2))
    const left = await ann.raw.askAs(40, 4, room)
    expect(left[0]).toBe(33)
    expect(await ann.raw.askAs(40, 4, room)).toEqual(left)
    cutAll([...seats, cho])
  })
})

test('P1 P2 kill -9 under load and restart: what was acknowledged is there; all sent again takes effect once, with the OKs of the first', async () => {
  const own = temporaryFolder()
  const args = ['--data', own.path, '--games', games, '--rate', '5000']
  const before = await startMadang(args)
  const { room, seats } = await table(before.url, 'bench', 8)
  const [ann] = seats
  await ann?.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
  const moves = (seat: number) =>
    Array.from({ length: 60 }, (_, i) => [5, 1000 + i, room, 'set', { cell: seat, value: i + 1 }])
  const other = { room: '', ref: 300 }
  other.room = await first(seats).raw.create('mafia', { night: 600 })
  const asked: [Entered, unknown[]][] = []
  const ask = (who: Entered, ...frame: unknown[]) => {
    asked.push([who, frame])
    return who.raw.askAs(Number(frame[1]), Number(frame[0]), ...frame.slice(2))
  }
  const [host, guest] = [first(seats), nth(seats, 1)]
  const firsts = new Map<string, unknown>()
  const keep = async (who: Entered, ...frame: unknown[]) => {
    const answer = await ask(who, ...frame)
    expect(answer[0], JSON.stringify([frame, answer])).toBe(33)
    firsts.set(`${who.id} ${frame[1]}`, answer)
  }
  await keep(host, 2, 301, 'tictactoe', null, { public: true })
  await keep(host, 3, 302, other.room)
  for (const who of seats.slice(1)) await keep(who, 3, 302, other.room)
  await keep(host, 7, 303, other.room, 'kick', { player: nth(seats, 7).id })
  await keep(host, 7, 304, other.room, 'start')
  await keep(guest, 9, 305, 'mafia', { night: 123, day: 45 })
  const finished = String(dig(await host.raw.askAs(306, 2, 'tictactoe'), 2, 'room'))
  await host.raw.join(finished)
  await guest.raw.join(finished)
  for (const [who, cell] of [
    [host, 0],
    [guest, 3],
    [host, 1],
    [guest, 4],
    [host, 2],
  ] as const)
    await who.raw.ok(5, finished, 'mark', { cell })
  await keep(guest, 7, 310, finished, 'again')

  let acknowledged = 0
  for (const [seat, { raw }] of seats.entries()) raw.send(...moves(seat))
  await host.raw.until(() => host.raw.frames.filter(([op, ref]) => op === 33 && Number(ref) >= 1000).length >= 10)
  await before.kill('SIGKILL')
  for (const who of seats) {
    await who.raw.closeCode()
    for (const frame of who.raw.frames)
      if (frame[0] === 33 && Number(frame[1]) >= 1000) {
        acknowledged++
        firsts.set(`${who.id} ${frame[1]}`, frame)
      }
  }
  expect(acknowledged).toBeGreaterThan(0)

  const after = await startMadang(args, { port: before.port })
  const back = await Promise.all(seats.map(async (who) => ({ ...who, raw: await comeBack(after.url, who) })))
  for (const [i, { raw }] of back.entries()) {
    raw.send(...moves(i))
    for (let ref = 1000; ref < 1060; ref++) {
      const answer = await raw.answer(ref)
      expect(answer[0], JSON.stringify(answer)).toBe(33)
      const earlier = firsts.get(`${back[i]?.id} ${ref}`)
      if (earlier !== undefined) expect(answer).toEqual(earlier)
    }
  }
  for (const [who, frame] of asked) {
    const now = back.find(({ id }) => id === who.id)
    const answer = await now?.raw.askAs(Number(frame[1]), Number(frame[0]), ...frame.slice(2))
    expect(answer, JSON.stringify(frame)).toEqual(firsts.get(`${who.id} ${frame[1]}`))
  }
  const reader = first(back).raw
  await reader.join(room)
  await reader.until(() => reader.held.has(room))
  expect(reader.see(room, 'game', 'turn')).toBe(480)
  expect(reader.see(room, 'game', 'scores')).toEqual(Object.fromEntries(seats.map(({ id }) => [id, 60])))
  expect(reader.see(room, 'game', 'secret')).toBe(
    Array.from({ length: 60 }, (_, i) => i + 1).reduce((s, v) => (Math.imul(s, 31) + v) & 0x7fffffff, 1),
  )
  expect(reader.see(other.room, 'room', 'players')).toEqual(seats.slice(0, 7).map(({ id }) => id))
  cutAll(back)
  await after.kill()
  own[Symbol.dispose]()
})

test('P2 over HTTP: the same Idempotency-Key after kill -9 finds the same room; public rooms are listed again after a restart', async () => {
  const own = temporaryFolder()
  const before = await startMadang(['--data', own.path])
  const ann = await enter(before.url, 'Ann')
  const make = async (at: string) => {
    const headers = { authorization: `Bearer ${ann.guest.token}`, 'idempotency-key': 'one-and-only' }
    const response = await postJson(`${at}/v1/rooms`, { game: 'mafia', options: { night: 5 }, public: true }, headers)
    expect([200, 201]).toContain(response.status)
    return String(dig(await response.json(), 'room'))
  }
  const room = await make(before.url)
  await ann.raw.join(room)
  const over = await ann.raw.create('tictactoe', null, { public: true })
  await before.kill('SIGKILL')
  const after = await startMadang(['--data', own.path], { port: before.port })
  expect(await make(after.url)).toBe(room)
  const listed = dig(await (await fetch(`${after.url}/v1/rooms`)).json(), 'rooms')
  expect(listed).toContainEqual({ room, game: 'mafia', phase: 'open', players: 1, seats: 12 })
  expect(listed).toContainEqual({ room: over, game: 'tictactoe', phase: 'open', players: 0, seats: 2 })
  expect(await (await fetch(`${after.url}/v1/rooms/${over}`)).json()).toMatchObject({ room: over, phase: 'open' })
  const back = await comeBack(after.url, ann)
  expect((await back.ask(7, room, 'start'))[2]).toBe('conflict')
  back.cut()
  await after.kill()
  own[Symbol.dispose]()
})
