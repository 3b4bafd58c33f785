import { describe, expect, test } from 'vitest'
import { programOfThisFile } from './program.ts'
import { dig, enter, first, nth, table } from './raw.ts'

const { url } = await programOfThisFile()

describe.concurrent('CALL chat {text, to?}', () => {
  test('a line reaches the players as NOTE chat, also in an open room, and is no part of the document or the log', async () => {
    const { room, seats } = await table(url, 'mafia', 3)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    const before = (await ann.raw.join(room)).seq
    const text = '안녕하세요 <b>&amp; \u{1f44b}'
    expect((await ann.raw.ask(7, room, 'chat', { text }))[0]).toBe(33)
    for (const { raw } of seats) {
      const note = await raw.next((frame) => frame[0] === 40 && frame[2] === 'chat')
      expect(note.slice(0, 3)).toEqual([40, room, 'chat'])
      expect(note[3]).toMatchObject({ from: ann.id, text })
    }
    expect((await bob.raw.join(room)).seq).toBe(before)
    for (const { raw } of seats) raw.cut()
  })

  test('P4 by night the town reads nothing that the mafia writes, a spectator nothing of the players’ night', async () => {
    const { room, seats } = await table(url, 'mafia', 8, { night: 600, day: 600 })
    const eve = await enter(url, 'Eve')
    await eve.raw.join(room, { role: 'spectator' })
    await first(seats).raw.ok(7, room, 'start')
    for (const { raw } of seats) await raw.until(() => raw.see(room, 'room', 'phase') === 'playing')
    const mafia = seats.filter(({ raw }) => raw.see(room, 'game', 'role') === 'mafia')
    const town = seats.filter((seat) => !mafia.includes(seat))
    for (const to of [undefined, 'players', 'mafia', 'spectators', 'town', 'dead'])
      await first(mafia).raw.ask(7, room, 'chat', {
        text: 'a-secret-of-the-night',
        ...(to === undefined ? {} : { to }),
      })
    for (const to of [undefined, 'players', 'mafia', 'spectators'])
      await first(town).raw.ask(7, room, 'chat', { text: 'words-of-the-town', ...(to === undefined ? {} : { to }) })
    for (const { raw } of [...seats, eve]) await raw.ping()
    for (const { raw } of [...town, eve]) expect(JSON.stringify(raw.of(40))).not.toContain('a-secret-of-the-night')
    const read = JSON.stringify(nth(mafia, 1).raw.of(40))
    expect(
      read.includes('a-secret-of-the-night') ||
        nth(mafia, 1)
          .raw.of(40)
          .every((f) => f[2] !== 'chat'),
    ).toBe(true)
    for (const { raw } of [...seats, eve]) raw.cut()
  })

  test('what is no line: invalid_payload; who is not in the room: not_member; a retry is one line', async () => {
    const { room, seats } = await table(url, 'mafia', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    for (const params of [null, {}, { text: 5 }, { text: '' }, { text: 'x'.repeat(10_000) }])
      expect((await ann.raw.ask(7, room, 'chat', params))[2], JSON.stringify(params)).toBe('invalid_payload')
    const eve = await enter(url, 'Eve')
    expect((await eve.raw.ask(7, room, 'chat', { text: 'hello' }))[2]).toBe('not_member')
    const ok = await ann.raw.askAs(300, 7, room, 'chat', { text: 'once' })
    expect(ok[0]).toBe(33)
    expect(await ann.raw.askAs(300, 7, room, 'chat', { text: 'once' })).toEqual(ok)
    await bob.raw.ping()
    expect(bob.raw.of(40).filter((frame) => dig(frame, 3, 'text') === 'once')).toHaveLength(1)
    for (const { raw } of [ann, bob, eve]) raw.cut()
  })

  test('P5 lines have a rate of their own: rate_limited with retryAfter, and moves go on', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const ann = first(seats)
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    const answers = []
    for (let i = 0; i < 30; i++) answers.push(await ann.raw.ask(7, room, 'chat', { text: `line ${i}` }))
    const refused = answers.filter(([op]) => op === 34)
    expect(refused.length).toBeGreaterThan(0)
    for (const [, , code, , detail] of refused) {
      expect(code).toBe('rate_limited')
      expect(Number(dig(detail, 'retryAfter'))).toBeGreaterThan(0)
    }
    expect((await ann.raw.ask(5, room, 'mark', { cell: 0 }))[0]).toBe(33)
    for (const { raw } of seats) raw.cut()
  })
})
