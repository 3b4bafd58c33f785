import { describe, expect, test } from 'vitest'
import { startMadang, temporaryFolder, until } from '../program.ts'
import { comeBack, dig, enter, first, nth, table } from './raw.ts'

const status = (url: string) =>
  fetch(url).then(
    (response) => response.status,
    () => 0,
  )

describe.concurrent('SIGTERM and Ctrl-C', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: clients get BYE [reason, {resume: true, retryAfter}] and then 1012, readyz is 503 or gone, exit 0 within 10 s; then they resume',
    async (signal) => {
      using data = temporaryFolder()
      const program = await startMadang(['--data', data.path])
      const { room, seats } = await table(program.url, 'tictactoe', 2)
      const [ann, bob] = [first(seats), nth(seats, 1)]
      await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
      const ok = await ann.raw.askAs(100, 5, room, 'mark', { cell: 0 })
      const waiting = await enter(program.url, 'Waiting')
      const from = performance.now()
      const gone = program.kill(signal)
      const ready: number[] = []
      const watching = until(async () => {
        ready.push(await status(`${program.url}/readyz`))
        return ready.at(-1) === 0
      }, 'the end of the port')
      for (const { raw } of [...seats, waiting]) {
        const bye = await raw.next(41, 'BYE')
        expect(bye).toEqual([41, expect.any(String), expect.objectContaining({ resume: true })])
        const { retryAfter } = Object(bye[2])
        expect(retryAfter === undefined || retryAfter >= 0).toBe(true)
        expect(await raw.closeCode()).toBe(1012)
      }
      expect(await gone).toBe(0)
      expect(performance.now() - from).toBeLessThan(10_000)
      await watching
      const after = ready.slice(ready.findIndex((code) => code !== 200))
      expect(after.every((code) => code === 503 || code === 0)).toBe(true)

      const next = await startMadang(['--data', data.path], { port: program.port })
      const back = await comeBack(next.url, ann)
      expect(await back.askAs(100, 5, room, 'mark', { cell: 0 })).toEqual(ok)
      await back.join(room, { since: ann.raw.seq(room) })
      await comeBack(next.url, bob).then((raw) => raw.ok(5, room, 'mark', { cell: 4 }))
      expect(await next.kill('SIGTERM')).toBe(0)
      for (const { raw } of seats) raw.cut()
    },
  )

  test('moves under way at SIGTERM are answered or may be sent again: none is lost that was acknowledged, none doubled', async () => {
    using data = temporaryFolder()
    const program = await startMadang(['--data', data.path, '--rate', '5000'])
    const ann = await enter(program.url, 'Ann')
    const frames = Array.from({ length: 80 }, (_, i) => [2, 100 + i, 'tictactoe', null, { public: true }])
    ann.raw.send(...frames)
    await ann.raw.until(() => ann.raw.of(33).length > 3)
    const gone = program.kill('SIGTERM')
    await ann.raw.closeCode()
    expect(await gone).toBe(0)
    const known = new Map(ann.raw.of(33).map((frame) => [frame[1], frame]))
    for (const [, , code] of ann.raw.of(34)) expect(code).toBe('unavailable')
    const next = await startMadang(['--data', data.path, '--rate', '5000'], { port: program.port })
    const back = await comeBack(next.url, ann)
    back.send(...frames)
    const rooms = new Set<unknown>()
    for (let i = 0; i < 80; i++) {
      const answer = await back.answer(100 + i)
      expect(answer[0]).toBe(33)
      const before = known.get(100 + i)
      if (before !== undefined) expect(answer).toEqual(before)
      rooms.add(dig(answer, 2, 'room'))
    }
    expect(rooms.size).toBe(80)
    const listed = dig(await (await fetch(`${next.url}/v1/rooms?game=tictactoe`)).json(), 'rooms')
    expect((listed as { room: string }[]).every(({ room }) => rooms.has(room))).toBe(true)
    await next.kill()
  })

  test('a second signal ends it at once', async () => {
    using data = temporaryFolder()
    const program = await startMadang(['--data', data.path])
    const ann = await enter(program.url, 'Ann')
    const gone = program.kill('SIGTERM')
    await ann.raw.next(41)
    const from = performance.now()
    void program.kill('SIGTERM')
    await gone
    expect(performance.now() - from).toBeLessThan(3_000)
  })
})
