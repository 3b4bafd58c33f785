import { resolve } from 'node:path'
import { encode } from '@msgpack/msgpack'
import { describe, expect, test } from 'vitest'
import { programOfThisFile } from './program.ts'
import { comeBack, dig, type Entered, enter, type Frame, first, nth, opsOf, patched, Raw, table } from './raw.ts'

const games = ['games', 'loadtest/games'].map((folder) => resolve(folder)).join(',')
const { url } = await programOfThisFile('--games', games, '--rate', '2000')

/** The document that somebody who joins now is shown, and its seq. */
const fresh = async (room: string, as?: Entered): Promise<{ seq: unknown; document: unknown }> => {
  const raw = new Raw(url)
  await raw.hello({ token: (as?.guest ?? (await enter(url, 'Fresh')).guest).token })
  await raw.join(room, as ? {} : { role: 'spectator' })
  const [, , seq, document] = await raw.next(35)
  raw.cut()
  return { seq, document }
}

const started = async (room: string, seats: Entered[]) => {
  for (const { raw } of seats) await raw.until(() => raw.see(room, 'room', 'phase') === 'playing')
}

const finish = (all: readonly { raw: Raw }[]) => {
  for (const { raw } of all) {
    expect(raw.broken).toEqual([])
    raw.cut()
  }
}

describe.concurrent('STATE, PATCH, EMIT, OK', () => {
  test('of a bench at full speed each PATCH fits what was held, every document equals the STATE that a newcomer gets, and no PATCH is larger than the STATE', async () => {
    const { room, seats } = await table(url, 'bench', 8)
    const watcher = await enter(url, 'Watcher')
    await watcher.raw.join(room, { role: 'spectator' })
    await started(room, [...seats, watcher])
    const sent = seats.flatMap(({ raw }, seat) =>
      Array.from({ length: 40 }, (_, i) =>
        raw.askAs(1000 + i, 5, room, 'set', { cell: (seat * 9 + i) % 64, value: i }),
      ),
    )
    const oks = await Promise.all(sent)
    expect(oks.every(([op]) => op === 33)).toBe(true)
    const seqs = oks.map(([, , seq]) => Number(seq))
    expect(new Set(seqs).size).toBe(320)
    const last = Math.max(...seqs)
    for (const { raw } of [...seats, watcher]) await raw.until(() => raw.seq(room) >= last)
    const seen = await fresh(room)
    expect(watcher.raw.see(room)).toEqual(seen.document)
    expect(seen.seq).toBe(watcher.raw.seq(room))
    for (const seat of seats) {
      const own = await fresh(room, seat)
      expect(seat.raw.see(room)).toEqual(own.document)
      expect(seat.raw.see(room, 'game', 'turn')).toBe(320)
    }
    for (const { raw } of [...seats, watcher]) {
      let document: unknown = null
      for (const [op, name, a, b, ops] of raw.frames) {
        if (name !== room) continue
        if (op === 35) document = b
        if (op !== 36) continue
        document = patched(document, ops)
        expect(encode([36, room, a, b, ops]).length).toBeLessThanOrEqual(encode([35, room, b, document]).length)
      }
    }
    // Durable order: no OK before one's own document shows it.
    for (const { raw } of seats) {
      let shown = 0
      for (const frame of raw.frames) {
        if (frame[0] === 35) shown = Number(frame[2])
        if (frame[0] === 36) shown = Number(frame[3])
        if (frame[0] === 33 && Number(frame[1]) >= 1000) expect(shown).toBeGreaterThanOrEqual(Number(frame[2]))
      }
    }
    finish([...seats, watcher])
  })

  test('order in one commit: PATCH, then EMITs by seq, then the OK; EMITs have a type, and go to all, spectators too', async () => {
    const { room, seats } = await table(url, 'mafia', 5, { night: 3000, day: 3000 })
    const watcher = await enter(url, 'Watcher')
    await watcher.raw.join(room, { role: 'spectator' })
    await first(seats).raw.ok(7, room, 'start')
    await started(room, [...seats, watcher])
    const killer = seats.find(({ raw }) => raw.see(room, 'game', 'role') === 'mafia') ?? first(seats)
    const victim = seats.find(({ id }) => id !== killer.id) ?? first(seats)
    const ok = await killer.raw.ask(5, room, 'vote', { target: victim.id })
    const tail = killer.raw.frames.slice(killer.raw.frames.findLastIndex(([op]) => op === 36))
    expect(opsOf(tail)).toEqual([36, 37, 33])
    expect(tail[1]).toEqual([
      37,
      room,
      expect.any(Number),
      expect.objectContaining({ type: 'death', player: victim.id }),
    ])
    expect(Number(tail[1]?.[2])).toBeLessThanOrEqual(Number(ok[2]))
    for (const { raw } of [watcher, ...seats])
      expect((await raw.next(37)).slice(2)).toEqual([tail[1]?.[2], tail[1]?.[3]])
    finish([...seats, watcher])
  })

  test('a member whose document did not change gets no PATCH: a citizen while the mafia votes by night', async () => {
    const { room, seats } = await table(url, 'mafia', 8, { night: 3000, day: 3000 })
    await first(seats).raw.ok(7, room, 'start')
    await started(room, seats)
    const mafia = seats.filter(({ raw }) => raw.see(room, 'game', 'role') === 'mafia')
    const town = seats.filter((seat) => !mafia.includes(seat))
    expect(mafia).toHaveLength(2)
    const before = town.map(({ raw }) => raw.seq(room))
    await first(mafia).raw.ok(5, room, 'vote', { target: first(town).id })
    await nth(mafia, 1).raw.until(
      () => nth(mafia, 1).raw.see(room, 'game', 'votes', first(mafia).id) === first(town).id,
    )
    for (const { raw } of town) await raw.ping()
    expect(town.map(({ raw }) => raw.seq(room))).toEqual(before)
    // The STATE of a citizen has the seq since which it has been so, older than the log's end.
    const citizen = first(town)
    const back = await comeBack(url, citizen)
    const joined = await back.join(room)
    const state = await back.next(35)
    expect(Number(state[2])).toBeLessThan(Number(joined.seq))
    expect(state[2]).toBe(before[0])
    // …and with it as `since`, and with the log's end, there is nothing to send.
    for (const since of [Number(state[2]), Number(joined.seq)]) {
      const count = back.frames.length
      await back.join(room, { since })
      await back.ping()
      expect(opsOf(back.frames.slice(count))).toEqual([33, 39])
    }
    await nth(mafia, 1).raw.ok(5, room, 'vote', { target: first(town).id })
    await back.until(() => back.see(room, 'game', 'phase') === 'day')
    expect(back.broken).toEqual([])
    back.cut()
    finish([...mafia, ...town.slice(1)])
  })

  test('since: in the ring one PATCH from it; what the server never had, or is from the future, or 0: a STATE; EMITs after since once', async () => {
    const { room, seats } = await table(url, 'mafia', 5, { night: 3000, day: 3000 })
    const host = first(seats)
    await host.raw.ok(7, room, 'start')
    await started(room, seats)
    const killer = seats.find(({ raw }) => raw.see(room, 'game', 'role') === 'mafia') ?? host
    const reader = seats.find(({ id }) => id !== killer.id) ?? host
    const victim = seats.find(({ id }) => id !== killer.id && id !== reader.id) ?? host
    const since = reader.raw.seq(room)
    const then = reader.raw.see(room)
    reader.raw.cut()
    await killer.raw.ok(5, room, 'vote', { target: victim.id })
    await killer.raw.until(() => killer.raw.see(room, 'game', 'phase') === 'day')
    const back = await comeBack(url, reader)
    const ok = await back.askAs(2000, 3, room, { since })
    await back.ping()
    const tail = back.frames.slice(back.frames.indexOf(ok)).filter(([op]) => op !== 40)
    expect(opsOf(tail)).toEqual([33, 36, 37, 39])
    const [, patch, emit] = tail as [Frame, Frame, Frame]
    expect(patch.slice(0, 4)).toEqual([36, room, since, expect.any(Number)])
    expect(patched(then, patch[4])).toEqual((await fresh(room, reader)).document)
    expect(emit).toEqual([37, room, expect.any(Number), expect.objectContaining({ type: 'death' })])
    // Once: a JOIN at what is held now brings none of it again.
    const count = back.frames.length
    await back.join(room, { since: Number(patch[3]) })
    await back.ping()
    expect(opsOf(back.frames.slice(count))).toEqual([33, 39])
    for (const other of [0, 1_000_000, Number.MAX_SAFE_INTEGER]) {
      const from = back.frames.length
      await back.join(room, { since: other })
      await back.ping()
      expect(opsOf(back.frames.slice(from)), String(other)).toEqual([33, 35, 39])
    }
    back.cut()
    finish(seats.filter(({ id }) => id !== reader.id))
  })

  test('since further back than the server keeps: a STATE, equal to what the others hold', async () => {
    const { room, seats } = await table(url, 'bench', 8)
    await started(room, seats)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    const since = bob.raw.seq(room)
    bob.raw.cut()
    for (let i = 0; i < 150; i++) await ann.raw.ok(5, room, 'set', { cell: i % 64, value: i })
    const back = await comeBack(url, bob)
    await back.join(room, { since })
    const [, , seq] = await back.next(35)
    expect(seq).toBe(ann.raw.seq(room))
    expect(back.see(room, 'game', 'cells')).toEqual(ann.raw.see(room, 'game', 'cells'))
    await ann.raw.ok(5, room, 'set', { cell: 0, value: 777 })
    await back.until(() => back.see(room, 'game', 'cells', 0) === 777)
    expect(back.broken).toEqual([])
    back.cut()
    finish(seats.filter((seat) => seat !== bob))
  })

  test('P1 every seq that anybody is shown is at most the log’s end, and seqs never go backwards', async () => {
    const { room, seats } = await table(url, 'bench', 8)
    await started(room, seats)
    await Promise.all(
      seats.map(async ({ raw }) => {
        for (let i = 0; i < 20; i++) await raw.ok(5, room, 'set', { cell: i, value: i })
      }),
    )
    for (const { raw } of seats) {
      const seqs = raw.frames.flatMap(([op, , a, b]) => (op === 35 ? [Number(a)] : op === 36 ? [Number(b)] : []))
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
    }
    const last = Number(dig(await first(seats).raw.join(room), 'seq'))
    for (const { raw } of seats) await raw.until(() => raw.seq(room) === last)
    finish(seats)
  })
})

describe.concurrent('P4 private', () => {
  test('bench: only its owner is ever sent a secret, and it is (imul(secret, 31) + value) & 0x7fffffff', async () => {
    const { room, seats } = await table(url, 'bench', 8)
    const watcher = await enter(url, 'Watcher')
    await watcher.raw.join(room, { role: 'spectator' })
    await started(room, [...seats, watcher])
    for (const { raw } of seats) expect(raw.see(room, 'game', 'secret')).toBe(1)
    expect(watcher.raw.see(room, 'game', 'secret') ?? null).toBeNull()
    expect(watcher.raw.see(room, 'game', 'cells')).toEqual(Array.from({ length: 64 }, () => 0))
    const expected = seats.map(() => 1)
    for (const [seat, { raw }] of seats.entries())
      for (let i = 0; i < 6; i++) {
        const value = [123_456_789, -7, 2_000_000_011, 0, 31, 2 ** 31][i] ?? 0
        await raw.ok(5, room, 'set', { cell: seat * 8 + i, value: value + seat })
        expected[seat] = (Math.imul(expected[seat] ?? 1, 31) + value + seat) & 0x7fffffff
      }
    expect(seats.map(({ raw }) => raw.see(room, 'game', 'secret'))).toEqual(expected)
    await watcher.raw.until(() => watcher.raw.see(room, 'game', 'turn') === 48)
    for (const { raw } of seats) await raw.until(() => raw.see(room, 'game', 'turn') === 48)
    expect(watcher.raw.see(room, 'game', 'scores')).toEqual(Object.fromEntries(seats.map(({ id }) => [id, 6])))
    for (const [seat, { raw }] of [...seats, watcher].entries()) {
      const all = JSON.stringify(raw.frames)
      for (const [other, secret] of expected.entries())
        if (other !== seat) expect(all.includes(`${secret}`), `${seat} was sent the secret of ${other}`).toBe(false)
    }
    finish([...seats, watcher])
  })

  test('mafia: role, mafia, votes exactly to whom the table says, in every frame of the night', async () => {
    const { room, seats } = await table(url, 'mafia', 8, { night: 3000, day: 3000 })
    const watcher = await enter(url, 'Watcher')
    await watcher.raw.join(room, { role: 'spectator' })
    await first(seats).raw.ok(7, room, 'start')
    await started(room, [...seats, watcher])
    const mafia = seats.filter(({ raw }) => raw.see(room, 'game', 'role') === 'mafia')
    expect(mafia).toHaveLength(2)
    const town = seats.filter((seat) => !mafia.includes(seat))
    const ids = mafia.map(({ id }) => id)
    await first(mafia).raw.ok(5, room, 'vote', { target: first(town).id })
    await nth(mafia, 1).raw.until(() => nth(mafia, 1).raw.see(room, 'game', 'votes', ids[0] ?? '') !== undefined)
    for (const { raw } of mafia)
      expect(raw.see(room, 'game')).toMatchObject({
        role: 'mafia',
        mafia: expect.toSatisfy((shown: string[]) => [...shown].sort().join() === [...ids].sort().join()),
        votes: { [ids[0] ?? '']: first(town).id },
      })
    for (const { raw } of town)
      expect(raw.see(room, 'game')).toMatchObject({ role: 'citizen', mafia: null, votes: null })
    expect(watcher.raw.see(room, 'game')).toMatchObject({ role: null, mafia: null, votes: null })
    for (const { raw } of [...town, watcher]) {
      await raw.ping()
      const game = JSON.stringify(raw.frames.filter(([op]) => op === 35 || op === 36 || op === 37))
      expect(game).not.toContain('"role":"mafia"')
      expect(game).not.toMatch(/"mafia":\[/)
      expect(game).not.toMatch(/"votes":\{/)
    }
    finish([...seats, watcher])
  })
})
