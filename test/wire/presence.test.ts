import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { startMadang, temporaryFolder, until } from '../program.ts'
import { programOfThisFile } from './program.ts'
import { comeBack, dig, enter, first, newGuest, nth, Raw, table } from './raw.ts'

const program = await programOfThisFile()
const { url } = program

const connected = (raw: Raw, room: string, id: string) => raw.see(room, 'room', 'members', id, 'connected')

describe.concurrent('sessions and presence', () => {
  test('a JOIN of the same session closes the older connection with 4002; HELLO alone, or a JOIN of another room, does not', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const ann = first(seats)
    const back = await comeBack(url, ann)
    const elsewhere = await back.create('mafia')
    await back.join(elsewhere)
    await back.ping()
    await ann.raw.ping()
    expect(ann.raw.closed).toBeNull()
    await back.join(room)
    expect(await ann.raw.closeCode()).toBe(4002)
    expect(back.closed).toBeNull()
    await back.ok(5, room, 'mark', { cell: 0 })
    const bob = nth(seats, 1).raw
    await bob.until(() => bob.see(room, 'game', 'cells', 0) === ann.id)
    expect(connected(bob, room, ann.id)).toBe(true)
    back.cut()
    bob.cut()
  })

  test('the same session string of another player takes nothing over', async () => {
    const { room, seats } = await table(url, 'mafia', 1)
    const ann = first(seats)
    const bob = await newGuest(url, 'Bob')
    const raw = new Raw(url)
    await raw.hello({ token: bob.token, session: ann.session })
    await raw.join(room)
    await ann.raw.until(() => ann.raw.see(room, 'room', 'players', 1) === bob.player.id)
    await ann.raw.ping()
    expect(ann.raw.closed).toBeNull()
    raw.cut()
    ann.raw.cut()
  })

  test('a spectator’s session is taken over too', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const eve = await enter(url, 'Eve')
    await eve.raw.join(room)
    const back = await comeBack(url, eve)
    expect(await back.join(room)).toMatchObject({ role: 'spectator' })
    expect(await eve.raw.closeCode()).toBe(4002)
    back.cut()
    for (const { raw } of seats) raw.cut()
  })

  test('dropped after 5 s of absence, not before 4; the host goes to the earliest joined who is connected; coming back shows, and does not take it back', async () => {
    const { room, seats } = await table(url, 'mafia', 3)
    const [ann, bob, cho] = [first(seats), nth(seats, 1), nth(seats, 2)]
    await bob.raw.until(() => dig(bob.raw.see(room, 'room', 'players'), 'length') === 3)
    const cut = performance.now()
    ann.raw.cut()
    await bob.raw.until(() => connected(bob.raw, room, ann.id) === false)
    const waited = performance.now() - cut
    expect(waited).toBeGreaterThan(4_000)
    expect(waited).toBeLessThan(12_000)
    expect(bob.raw.see(room, 'room')).toMatchObject({ host: bob.id, players: [ann.id, bob.id, cho.id], phase: 'open' })
    const back = await comeBack(url, ann)
    expect(await back.join(room)).toMatchObject({ role: 'player' })
    await bob.raw.until(() => connected(bob.raw, room, ann.id) === true)
    expect(bob.raw.see(room, 'room', 'host')).toBe(bob.id)
    expect((await back.ask(7, room, 'start'))[2]).toBe('forbidden')
    expect((await bob.raw.ask(7, room, 'start'))[2]).toBe('conflict')
    await bob.raw.ok(4, room)
    await cho.raw.until(() => cho.raw.see(room, 'room', 'host') === ann.id)
    for (const raw of [back, bob.raw, cho.raw]) raw.cut()
  })

  test('who comes back within 5 s was never gone: no event, no PATCH', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    const since = ann.raw.seq(room)
    ann.raw.cut()
    const back = await comeBack(url, ann)
    await back.join(room, { since })
    await new Promise((resolve) => setTimeout(resolve, 6_500))
    await bob.raw.ping()
    await back.ping()
    expect(bob.raw.seq(room)).toBe(since)
    expect(back.of(36)).toEqual([])
    expect(connected(bob.raw, room, ann.id)).toBe(true)
    back.cut()
    bob.raw.cut()
  })

  test('a creator who has not joined stays host, whoever comes and goes', async () => {
    const host = await enter(url, 'Host')
    const room = await host.raw.create('mafia')
    const ann = await enter(url, 'Ann')
    await ann.raw.join(room)
    host.raw.cut()
    const bob = await enter(url, 'Bob')
    await bob.raw.join(room)
    await bob.raw.ok(4, room)
    await ann.raw.until(() => dig(ann.raw.see(room, 'room', 'players'), 'length') === 1)
    expect(ann.raw.see(room, 'room', 'host')).toBe(host.id)
    ann.raw.cut()
    bob.raw.cut()
  })

  test('one socket of several is not absence; the last one is', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    const second = new Raw(url)
    await second.hello({ token: ann.guest.token })
    await second.join(room)
    ann.raw.cut()
    await new Promise((resolve) => setTimeout(resolve, 6_500))
    expect(connected(bob.raw, room, ann.id)).toBe(true)
    second.cut()
    await bob.raw.until(() => connected(bob.raw, room, ann.id) === false)
    bob.raw.cut()
  })

  test('a restart is absence too: who does not come back after kill -9 is dropped, who does is not', async () => {
    const own = temporaryFolder()
    const before = await startMadang(['--data', own.path])
    const { room, seats } = await table(before.url, 'tictactoe', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    await before.kill('SIGKILL')
    const after = await startMadang(['--data', own.path], { port: before.port })
    const back = await comeBack(after.url, bob)
    await back.join(room)
    await back.until(() => connected(back, room, ann.id) === false)
    expect(connected(back, room, bob.id)).toBe(true)
    expect(back.see(room, 'room', 'host')).toBe(bob.id)
    back.cut()
    await after.kill()
    own[Symbol.dispose]()
  })

  test('CALL again makes a room of those who are connected: who was dropped is not in it', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const [ann, bob] = [first(seats), nth(seats, 1)]
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    await bob.raw.ok(4, room)
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'over')
    const next = String(dig(await ann.raw.ok(7, room, 'again'), 'room'))
    await ann.raw.join(next)
    await ann.raw.until(() => ann.raw.held.has(next))
    expect(ann.raw.see(next, 'room')).toMatchObject({ players: [ann.id], phase: 'open', host: ann.id })
    ann.raw.cut()
    bob.raw.cut()
  })

  test('the seat that MATCH kept is free for others after 10 s', async () => {
    const [ann, bob, eve] = [await enter(url, 'Ann'), await enter(url, 'Bob'), await enter(url, 'Eve')]
    const { room } = Object(await ann.raw.ok(9, 'tictactoe'))
    await ann.raw.join(room)
    expect(await bob.raw.ok(9, 'tictactoe')).toEqual({ room })
    const kept = performance.now()
    for (let answer = await eve.raw.ask(3, room, { role: 'player' }); ; ) {
      if (answer[0] === 33) break
      expect(answer[2]).toBe('room_full')
      await new Promise((done) => setTimeout(done, 250))
      answer = await eve.raw.ask(3, room, { role: 'player' })
    }
    expect(performance.now() - kept).toBeGreaterThan(9_000)
    expect(performance.now() - kept).toBeLessThan(20_000)
    expect((await bob.raw.ask(3, room, { role: 'player' }))[2]).toBe('room_full')
    for (const { raw } of [ann, bob, eve]) raw.cut()
  })

  test('a dead peer, whose bytes are all swallowed, is found within 30 s; a silent one that answers pings stays', {
    timeout: 180_000,
  }, async () => {
    let swallows = false
    const upstreams: Socket[] = []
    const proxy = createServer((downstream) => {
      const upstream = connect(program.port, '127.0.0.1')
      upstreams.push(upstream)
      downstream.on('data', (bytes) => swallows || upstream.write(bytes))
      upstream.on('data', (bytes) => swallows || downstream.write(bytes))
      for (const socket of [upstream, downstream]) socket.on('error', () => {})
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const { room, seats } = await table(url, 'tictactoe', 1)
    const ann = first(seats)
    const bob = await newGuest(url, 'Bob')
    const dead = new Raw(`http://127.0.0.1:${dig(proxy.address(), 'port')}`)
    await dead.hello({ token: bob.token })
    await dead.join(room)
    await ann.raw.until(() => ann.raw.see(room, 'room', 'phase') === 'playing')
    swallows = true
    const from = performance.now()
    let found = 0
    for (const upstream of upstreams)
      upstream.once('close', () => {
        found = performance.now()
      })
    await until(() => found > 0, 'the end of the dead peer', 35_000)
    expect(found - from).toBeLessThan(30_000)
    await until(() => connected(ann.raw, room, bob.player.id) === false, 'the drop', 10_000)
    await ann.raw.ping()
    expect(ann.raw.closed).toBeNull()
    dead.cut()
    ann.raw.cut()
    proxy.close()
    for (const upstream of upstreams) upstream.destroy()
  })
})
