import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Program, startMadang, temporaryFolder, until } from '../program.ts'
import { threeInARow } from '../three-in-a-row.ts'
import { comeBack, dig, enter, type Frame, first, jwt, newGuest, nth, postJson, Raw, table } from './raw.ts'

const data = temporaryFolder()
let program: Program
let url = ''
beforeAll(async () => {
  program = await startMadang(['--data', join(data.path, 'default')])
  url = program.url
})
afterAll(async () => {
  await program.kill()
  data[Symbol.dispose]()
})

const limited = (raw: Raw): Frame[] => raw.of(34).filter(([, , code]) => code === 'rate_limited')

describe.concurrent('P5 the rate', () => {
  test('50 frames a second, burst 100: of 200 at once about 100 are answered, the others get rate_limited with retryAfter in ms', async () => {
    const { raw } = await enter(url, 'Ann')
    for (let t = 1; t <= 200; t++) raw.send([8, t])
    await raw.until(() => raw.of(39).length + raw.of(34).length === 200)
    expect(raw.of(39).length).toBeGreaterThanOrEqual(97)
    expect(raw.of(39).length).toBeLessThan(150)
    for (const error of limited(raw)) {
      expect(error).toEqual([34, null, 'rate_limited', expect.any(String), { retryAfter: expect.any(Number) }])
      const ms = Number(dig(error, 4, 'retryAfter'))
      expect(ms).toBeGreaterThan(0)
      expect(ms).toBeLessThan(1_000)
    }
    expect(raw.closed).toBeNull()
    raw.cut()
  })

  test('it is the player’s: two sockets share it; after retryAfter a frame is taken again, and its ref was not used up', async () => {
    const ann = await enter(url, 'Ann')
    const other = await comeBack(url, ann)
    for (let t = 1; t <= 90; t++) ann.raw.send([8, t])
    for (let t = 1; t <= 90; t++) other.send([8, t])
    await ann.raw.until(() => ann.raw.of(39).length + ann.raw.of(34).length === 90)
    await other.until(() => other.of(39).length + other.of(34).length === 90)
    expect(limited(ann.raw).length + limited(other).length).toBeGreaterThan(40)
    let answer: Frame = []
    for (let i = 0; i < 150; i++) other.send([8, 0])
    answer = await other.askAs(5, 2, 'tictactoe')
    expect(answer.slice(0, 3)).toEqual([34, 5, 'rate_limited'])
    while (answer[0] === 34) {
      const ms = Number(dig(answer, 4, 'retryAfter'))
      await new Promise((resolve) => setTimeout(resolve, ms))
      answer = await other.askAs(5, 2, 'mafia')
    }
    expect(answer[0]).toBe(33)
    ann.raw.cut()
    other.cut()
  })

  test('one player’s rate is nobody else’s; CAST and INPUT do not count', async () => {
    const [ann, bob] = [await enter(url, 'Ann'), await enter(url, 'Bob')]
    const room = await bob.raw.create('tictactoe')
    await bob.raw.join(room)
    for (let i = 0; i < 300; i++) {
      bob.raw.send([10, room, { dx: 1 }])
      ann.raw.send([8, i])
    }
    for (let t = 1; t <= 80; t++) bob.raw.send([8, t])
    await bob.raw.until(() => bob.raw.of(39).length === 80)
    expect(bob.raw.of(34)).toEqual([])
    await ann.raw.until(() => limited(ann.raw).length > 0)
    ann.raw.cut()
    bob.raw.cut()
  })

  test('--rate and --frame are in WELCOME and hold; guests have 20 times the rate per address too, players with a JWT do not', async () => {
    const small = await startMadang(['--data', join(data.path, 'small'), '--rate', '5', '--frame', '2048'])
    const secret = 'a secret of this test, long enough for HS256'
    const keyed = await startMadang(['--data', join(data.path, 'keyed'), '--rate', '5', '--jwt-secret', secret])
    const sum = (raws: Raw[]) => raws.reduce((total, raw) => total + raw.of(39).length, 0)
    const flood = async (raws: Raw[]) => {
      for (const raw of raws) for (let t = 0; t < 10; t++) raw.send([8, t])
      for (const raw of raws) await raw.until(() => raw.of(39).length + raw.of(34).length === 10)
    }
    const guests: Raw[] = []
    for (let i = 0; i < 60; i++) {
      const raw = new Raw(small.url)
      const { token } = await newGuest(small.url, `G ${i}`)
      expect(await raw.hello({ token })).toMatchObject({ limits: { frame: 2048, rate: 5 } })
      guests.push(raw)
    }
    await flood(guests)
    expect(sum(guests)).toBeGreaterThan(150)
    expect(sum(guests), 'of 600').toBeLessThan(600)
    first(guests).send([8, 0, 'x'.repeat(2048)])
    expect(await first(guests).closeCode()).toBe(1009)
    const players = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const raw = new Raw(keyed.url)
        await raw.hello({ token: jwt({ sub: `p${i}`, name: 'P' }, { secret }) })
        return raw
      }),
    )
    await flood(players)
    expect(sum(players)).toBeGreaterThan(290)
    for (const raw of [...guests, ...players]) raw.cut()
    await small.kill()
    await keyed.kill()
  })

  test('X-Forwarded-For says where somebody is only as far as --trust-proxy allows', async () => {
    // All at once: one after the other they could be as slow as what comes in again.
    const statuses = (at: string, forwarded: (i: number) => string) =>
      Promise.all(
        Array.from({ length: 200 }, async (_, i) => {
          const response = await fetch(`${at}/v1/games`, { headers: { 'x-forwarded-for': forwarded(i) } })
          await response.arrayBuffer()
          return response.status
        }),
      )
    const direct = await startMadang(['--data', join(data.path, 'direct'), '--rate', '1'])
    expect(await statuses(direct.url, (i) => `10.0.0.${i}`)).toContain(429)
    const proxied = await startMadang(['--data', join(data.path, 'proxied'), '--rate', '1', '--trust-proxy', '1'])
    expect(await statuses(proxied.url, (i) => `10.0.0.${i}`)).not.toContain(429)
    // What a client puts before its proxy's word is only the client's word.
    expect(await statuses(proxied.url, (i) => `10.1.0.${i}, 192.0.2.7`)).toContain(429)
    await direct.kill()
    await proxied.kill()
  })
})

describe('P5 slow and hostile clients', () => {
  test('a client that does not read is closed with 4003 or cut, costs little memory, and others go on meanwhile', {
    timeout: 180_000,
  }, async () => {
    const own = await startMadang(['--data', join(data.path, 'slow'), '--rate', '100000', '--durability', 'memory'])
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${own.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
    const { room, seats } = await table(own.url, 'tictactoe', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    const slow = await enter(own.url, 'Slow')
    await slow.raw.join(room)
    const before = rss()
    slow.raw.socket.pause()
    let slowest = 0
    let ref = 1_000
    for (let i = 0; i < 150; i++) {
      for (let k = 0; k < 200; k++) slow.raw.send([3, ++ref, room])
      const from = performance.now()
      await ann.raw.ping()
      slowest = Math.max(slowest, performance.now() - from)
    }
    expect(slowest).toBeLessThan(3_000)
    expect(rss() - before).toBeLessThan(200)
    for (const [who, cell] of threeInARow(ann, bob)) await who.raw.ok(5, room, 'mark', { cell })
    slow.raw.socket.resume()
    expect([4003, 1006]).toContain(await slow.raw.closeCode())
    expect(bob.raw.broken).toEqual([])
    await own.kill()
  })

  test('a thousand sockets that say nothing, half a handshake and garbage do not keep others out', async () => {
    const idle = Array.from({ length: 300 }, () => new Raw(url))
    // Each at once: who says nothing for 5 s is closed for that.
    await Promise.all(
      idle.map(async (raw, i) => {
        await raw.opened()
        if (i % 2) raw.sendBytes(new Uint8Array([0xdd, 255, 255, 255, 255]))
      }),
    )
    const { raw } = await enter(url, 'Ann')
    await raw.ping()
    await until(() => idle.every((each, i) => i % 2 === 0 || each.closed?.code === 4000), 'the garbage to be closed')
    for (const each of [...idle, raw]) each.cut()
    expect((await postJson(`${url}/v1/guests`, { name: 'Bob' })).status).toBe(201)
  })
})
