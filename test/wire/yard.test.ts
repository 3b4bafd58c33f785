import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { startMadang, temporaryFolder } from '../program.ts'
import { programOfThisFile } from './program.ts'
import { comeBack, cutAll, dig, enter, first, nth, type Raw, table } from './raw.ts'

const { url } = await programOfThisFile('--games', fileURLToPath(new URL('./testing', import.meta.url)))

describe.concurrent('a drop-in game with channels, EMITs to some, and rules that throw', () => {
  test('drop-in: playing at creation; players come and go, and the rules are told; room_full; a seat left is free', async () => {
    const { room, seats } = await table(url, 'yard', 4)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    await ann.raw.until(() => dig(ann.raw.see(room, 'game', 'present'), 'length') === 4)
    expect(ann.raw.see(room, 'room')).toMatchObject({ phase: 'playing', version: 3, game: 'yard' })
    const eve = await enter(url, 'Eve')
    expect((await eve.raw.ask(3, room, { role: 'player' }))[2]).toBe('room_full')
    await bob.raw.ok(4, room)
    await ann.raw.until(() => dig(ann.raw.see(room, 'game', 'present'), 'length') === 3)
    expect(ann.raw.see(room, 'room', 'members', bob.id, 'connected') ?? false).toBe(false)
    cutAll([...seats, eve])
  })

  test('CAST: binary, to all others without `to` but no spectator; [38, room, from, channel, payload]; not logged', async () => {
    const { room, seats } = await table(url, 'yard', 3)
    const [ann, bob, cho] = [first(seats), nth(seats, 1), nth(seats, 2)]
    const eve = await enter(url, 'Eve')
    await eve.raw.join(room, { role: 'spectator' })
    const before = Number((await ann.raw.join(room)).seq)
    const payload = new Uint8Array([0, 255, 1, 2])
    ann.raw.send([6, room, 'stroke', payload])
    for (const { raw } of [bob, cho]) {
      const cast = await raw.next(38)
      expect(cast.slice(0, 4)).toEqual([38, room, ann.id, 'stroke'])
      expect(new Uint8Array(cast[4] as Uint8Array)).toEqual(payload)
    }
    ann.raw.send([6, room, 'stroke', { x: 1, list: [null, 'é'] }])
    expect((await bob.raw.next(38))[4]).toEqual({ x: 1, list: [null, 'é'] })
    await eve.raw.ping()
    expect(eve.raw.of(38)).toEqual([])
    const [, , value] = await ann.raw.ask(3, room)
    expect(dig(value, 'seq')).toBe(before)
    expect(ann.raw.of(34)).toEqual([])
    cutAll([...seats, eve])
  })

  test('CAST forbidden: one whom `from` does not allow, a channel without `from`, one not declared, a spectator, one who is not in the room', async () => {
    const { room, seats } = await table(url, 'yard', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    const eve = await enter(url, 'Eve')
    const cases: [Raw, string][] = [
      [eve.raw, 'whisper'],
      [bob.raw, 'stroke'],
      [ann.raw, 'mute'],
      [ann.raw, 'nothing'],
      [ann.raw, 'constructor'],
    ]
    for (const [raw, channel] of cases) {
      raw.send([6, room, channel, 1])
      expect(await raw.next(34), channel).toEqual([34, null, 'forbidden', expect.any(String)])
    }
    await eve.raw.join(room, { role: 'spectator' })
    eve.raw.send([6, room, 'whisper', 1])
    expect(await eve.raw.next(34)).toMatchObject([34, null, 'forbidden', expect.anything()])
    await ann.raw.ping()
    expect([...ann.raw.of(38), ...bob.raw.of(38)]).toEqual([])
    cutAll([...seats, eve])
  })

  test('CAST to whom the channel allows only: one player, or spectators', async () => {
    const { room, seats } = await table(url, 'yard', 3)
    const [ann, bob, cho] = [first(seats), nth(seats, 1), nth(seats, 2)]
    const eve = await enter(url, 'Eve')
    await eve.raw.join(room, { role: 'spectator' })
    bob.raw.send([6, room, 'whisper', 'for ann'], [6, room, 'balcony', 'for eve'])
    expect((await ann.raw.next(38)).slice(2)).toEqual([bob.id, 'whisper', 'for ann'])
    expect((await eve.raw.next(38)).slice(2)).toEqual([bob.id, 'balcony', 'for eve'])
    for (const { raw } of [ann, cho, eve]) await raw.ping()
    expect([ann, cho, eve].map(({ raw }) => raw.of(38).length)).toEqual([1, 0, 1])
    cutAll([...seats, eve])
  })

  test('CAST over its rate or its size is dropped silently, and does not count for the player’s rate', async () => {
    const { room, seats } = await table(url, 'yard', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    ann.raw.send([6, room, 'stroke', new Uint8Array(2_000)])
    for (let i = 0; i < 300; i++) ann.raw.send([6, room, 'stroke', i])
    for (let t = 0; t < 60; t++) ann.raw.send([8, t])
    await ann.raw.until(() => ann.raw.of(39).length === 60)
    await ann.raw.ok(5, room, 'say', { text: 'done' })
    await bob.raw.until(() => dig(bob.raw.see(room, 'game', 'said'), 0) === 'done')
    expect(ann.raw.of(34)).toEqual([])
    const got = bob.raw.of(38)
    expect(got.length).toBeGreaterThanOrEqual(30)
    expect(got.length).toBeLessThan(100)
    expect(got[0]?.[4]).toBe(0)
    cutAll(seats)
  })

  test('P4 EMIT with `to` reaches those players only; without it everyone, spectators too; it changes no document', async () => {
    const { room, seats } = await table(url, 'yard', 3)
    const [ann, bob, cho] = [first(seats), nth(seats, 1), nth(seats, 2)]
    const eve = await enter(url, 'Eve')
    await eve.raw.join(room, { role: 'spectator' })
    await bob.raw.until(() => dig(bob.raw.see(room, 'game', 'present'), 'length') === 3)
    const since = bob.raw.seq(room)
    const seq = await ann.raw.ok(5, room, 'shout', { text: 'psst', to: bob.id })
    expect(await bob.raw.next(37)).toMatchObject([37, room, seq, { type: 'shout', text: 'psst' }])
    const loud = await ann.raw.ok(5, room, 'shout', { text: 'hey' })
    for (const { raw } of [ann, bob, cho, eve])
      expect(await raw.next(37)).toEqual([37, room, loud, { type: 'shout', text: 'hey' }])
    expect([ann, bob, cho, eve].map(({ raw }) => raw.of(37).length)).toEqual([1, 2, 1, 1])
    expect(bob.raw.seq(room)).toBe(since)
    // After a reconnect those since are sent once, with no PATCH: the document is the same.
    bob.raw.cut()
    const back = await comeBack(url, bob)
    const ok = await back.ask(3, room, { since })
    await back.ping()
    const tail = back.frames.slice(back.frames.indexOf(ok)).filter(([op]) => op !== 40)
    expect(tail.map(([op]) => op)).toEqual([33, 37, 37, 39])
    expect(tail.slice(1, 3).map((frame) => frame[2])).toEqual([seq, loud])
    cutAll([ann, cho, eve, { raw: back }])
  })

  test('a rule or a view that throws: ERR internal, nothing logged, the room goes on, and the ref may be used again', async () => {
    const { room, seats } = await table(url, 'yard', 2)
    const ann = first(seats)
    const before = Number(await ann.raw.ok(5, room, 'say', { text: 'one' }))
    for (const type of ['stumble', 'curse'])
      expect((await ann.raw.askAs(500, 5, room, type, {})).slice(0, 3), type).toEqual([34, 500, 'internal'])
    expect(await ann.raw.askAs(500, 5, room, 'say', { text: 'two' })).toEqual([33, 500, before + 1])
    expect(ann.raw.see(room, 'game', 'said')).toEqual(['one', 'two'])
    cutAll(seats)
  })

  test('words of any script and length come through as they were said; a document of 16 KiB of them too', async () => {
    const { room, seats } = await table(url, 'yard', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    for (const text of ['한글 👩‍👩‍👧 é', '\u0000\u2028"\\', 'x'.repeat(16_000), '', 'é'.repeat(4_000)])
      await ann.raw.ok(5, room, 'say', { text })
    await bob.raw.until(() => dig(bob.raw.see(room, 'game', 'said'), 'length') === 5)
    expect(bob.raw.see(room, 'game', 'said')).toEqual([
      '한글 👩‍👩‍👧 é',
      '\u0000\u2028"\\',
      'x'.repeat(16_000),
      '',
      'é'.repeat(4_000),
    ])
    cutAll(seats)
  })
})

test('P5 P4 members who stop reading while a room is loud: they are closed, or catch up to the very same document; those who read miss nothing and wait for nobody', {
  timeout: 180_000,
}, async () => {
  const own = temporaryFolder()
  const games = fileURLToPath(new URL('./testing', import.meta.url))
  const loud = await startMadang(['--data', own.path, '--games', games, '--rate', '100000'])
  const { room, seats } = await table(loud.url, 'yard', 3)
  const [ann, bob, slow] = [first(seats), nth(seats, 1), nth(seats, 2)]
  const watchers = [await enter(loud.url, 'Eve'), await enter(loud.url, 'Gus')]
  for (const { raw } of watchers) await raw.join(room, { role: 'spectator' })
  const [reading, dozing] = [first(watchers), nth(watchers, 1)]
  for (const { raw } of [slow, dozing]) raw.socket.pause()
  let slowest = 0
  for (let i = 0; i < 700; i++) {
    const from = performance.now()
    await ann.raw.ok(5, room, 'say', { text: `${i} ${'x'.repeat(15_000)}` })
    slowest = Math.max(slowest, performance.now() - from)
  }
  expect(slowest).toBeLessThan(3_000)
  for (const { raw } of [bob, reading])
    await raw.until(() => String(dig(raw.see(room, 'game', 'said'), 4)).startsWith('699 '))
  for (const { raw } of [slow, dozing]) {
    raw.socket.resume()
    await raw.until(
      () => raw.closed !== null || String(dig(raw.see(room, 'game', 'said'), 4)).startsWith('699 '),
      () => 'the close, or the document',
    )
    if (raw.closed !== null) expect([4003, 1006]).toContain(raw.closed.code)
    else expect(raw.see(room, 'game')).toEqual(bob.raw.see(room, 'game'))
  }
  expect(bob.raw.see(room)).toEqual(reading.raw.see(room))
  cutAll([...seats, ...watchers])
  await loud.kill()
  own[Symbol.dispose]()
})
