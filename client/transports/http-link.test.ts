import { describe, expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import type { WireEvent } from '../client.ts'
import type { Room, RoomClosed } from '../room.ts'
import type { Session } from '../session.ts'
import type { TestRequest } from '../testing/exchange.ts'
import { ROOM } from '../testing/server.ts'
import type { Tally } from '../testing/tally.ts'
import { refusal, type World, world } from '../testing/world.ts'

const OVER_HTTP = ['sse', 'longpoll', 'poll'] as const

interface Joined extends World {
  session: Session
  room: Room<Tally>
  closes: RoomClosed[]
}

const joined = async (
  transport: (typeof OVER_HTTP)[number],
  role: 'player' | 'spectator' = 'player',
): Promise<Joined> => {
  const all = world(1, transport)
  const session = all.connect()
  const room = await all.until(session.join<Tally>(ROOM, { role }))
  const closes: RoomClosed[] = []
  room.on('closed', (closed) => closes.push(closed))
  return { ...all, session, room, closes }
}

/** Refuses what fits, so many times. */
const refuse = (
  { http }: World,
  what: string,
  times: number,
  answer: { status: number; retryAfter?: number },
): void => {
  let left = times
  http.faults = { refuse: ({ path }: TestRequest) => (path === what && left-- > 0 ? answer : null) }
}

describe.each(OVER_HTTP)('over %s', (transport) => {
  test('a move resolves soon after its document, also one that changes nothing for this member', async () => {
    const { room, until, clock } = await joined(transport)
    for (const type of ['add', 'hush', 'add', 'hush'] as const) {
      const start = clock.now()
      const seq = await until(room.move[type]({ n: 1 }))
      expect(clock.now() - start).toBeLessThan(300)
      if (type === 'add') expect(room.seq).toBeGreaterThanOrEqual(seq)
    }
    expect(room.document.game?.total).toBe(2)
  })

  test('a call that leaves an event resolves a round trip after its OK, also while others move', async () => {
    const { room, until, clock, server } = await joined(transport)
    for (let times = 0; times < 20; times++) {
      for (let n = 0; n < times; n++) clock.after(n * 17, () => server.add('ben', 1))
      const start = clock.now()
      await until(room.call('start'))
      expect(clock.now() - start).toBeLessThan(120)
      await clock.advance(500)
    }
  })

  test('what another one does is seen, with its EMITs, after an hour of rest too', async () => {
    const { room, server, clock } = await joined(transport)
    const emits: unknown[] = []
    room.on('emit', (event, seq) => emits.push([seq, event.part]))
    await clock.advance(3_600_000)
    server.add('ben', 4)
    server.hush()
    await clock.runUntil(() => emits.length === 4, 1_200)
    expect(room.document.game?.total).toBe(4)
    expect(emits).toEqual([
      [2, 1],
      [2, 2],
      [3, 1],
      [3, 2],
    ])
  })

  test('one POST is in flight at a time, and what was asked meanwhile goes with the next in its order', async () => {
    const { room, http, until } = await joined(transport)
    const before = http.posts.length
    const first = room.move.add({ n: 1 })
    const moves = [first]
    await until(Promise.resolve())
    for (let n = 2; n <= 9; n++) moves.push(room.move.add({ n }))
    await until(Promise.all(moves))
    const posts = http.posts
      .slice(before)
      .map((frames) => frames.map((frame) => (Array.isArray(frame) ? frame[4].n : 0)))
    expect(posts.length).toBeLessThanOrEqual(2)
    expect(posts.flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('of CASTs and INPUTs the newest of each channel goes, at most 20 times a second', async () => {
    const { room, http, clock } = await joined(transport)
    const before = http.posts.length
    for (let at = 0; at < 1_000; at += 5) {
      room.cast('talk', at)
      room.input(at)
      await clock.advance(5)
    }
    await clock.advance(200)
    const posts = http.posts.slice(before)
    expect(posts.length).toBeLessThan(23)
    for (const post of posts) expect(post.length).toBeLessThanOrEqual(3)
    const inputs = posts.flat().filter((frame) => Array.isArray(frame) && frame[0] === OP.input)
    expect(inputs.at(-1)).toEqual([OP.input, ROOM, 995])
  })

  test('an answer that is lost after it took effect is asked for again, and the effect comes once', async () => {
    const { room, server, network, until } = await joined(transport)
    let lost = 0
    network.proxy = { ...network.proxy, loses: () => lost++ < 2 }
    expect(await until(room.move.add({ n: 3 }))).toBe(2)
    expect(lost).toBeGreaterThan(2)
    expect(server.log).toHaveLength(1)
  })

  test('a media call that waits for its worker holds up no move', async () => {
    const { room, http, clock, until } = await joined(transport)
    const isMedia = (frame: unknown): boolean => Array.isArray(frame) && frame[3] === 'media.join'
    http.faults = { ...http.faults, hangs: (frames) => frames.some(isMedia) }
    room.call('media.join', {}).catch(() => {})
    await clock.runUntil(() => http.posts.flat().some(isMedia))
    const start = clock.now()
    expect(await until(room.move.add({ n: 1 }))).toBe(2)
    expect(clock.now() - start).toBeLessThan(300)
  })

  test('429 and 503 are waited for as told, and the session stays where it is', async () => {
    const all = await joined(transport)
    const states: string[] = []
    all.session.state.subscribe(({ status }) => states.push(status))
    for (const status of [429, 503]) {
      refuse(all, '/v1/send', 2, { status, retryAfter: 3 })
      const start = all.clock.now()
      await all.until(all.room.move.add({ n: 1 }))
      expect(all.clock.now() - start).toBeGreaterThan(6_000)
      expect(all.clock.now() - start).toBeLessThan(8_000)
    }
    expect(states).toEqual([])
  })

  test('a server that answers 503 again and again is come back to, and no move is lost', async () => {
    const all = await joined(transport)
    refuse(all, '/v1/send', 7, { status: 503 })
    await all.until(all.room.move.add({ n: 1 }))
    expect(all.session.transport.current).toBe(transport)
    expect(all.room.document.game?.total).toBe(1)
  })

  test('401 ends the session with the reason of the server', async () => {
    const all = world(1, transport)
    const session = all.connect({ token: 'wrong token' })
    const refused = { code: 'unauthorized', message: 'the token is not valid' }
    expect(await all.until(refusal(session.ready))).toMatchObject(refused)
    expect(session.state.current).toMatchObject({ status: 'closed', why: 'unauthorized' })
  })

  test('a spectator who was forgotten joins again, and sees on', async () => {
    const { room, server, clock, closes } = await joined(transport, 'spectator')
    server.forget('ann')
    server.closeAll(1012)
    await clock.runUntil(() => server.isMember('ann'), 30_000)
    server.add('ben', 2)
    await clock.runUntil(() => room.document.game?.total === 2, 2_000)
    expect(closes).toEqual([])
    expect(room.role).toBe('spectator')
  })

  test('who cannot come back is told why: put out by the host, or no such room', async () => {
    for (const code of ['forbidden', 'not_found'] as const) {
      const { session, room, server, clock, closes } = await joined(transport)
      server.faults = { ...server.faults, refuse: () => ({ code }) }
      server.forget('ann')
      server.closeAll(1012)
      await clock.runUntil(() => room.closed !== null, 30_000)
      expect(closes).toMatchObject([{ why: code === 'forbidden' ? 'kicked' : 'refused', error: { code } }])
      expect(session.state.current.status).toBe('online')
      await clock.advance(60_000)
      expect(server.received.filter(([op]) => op === OP.join)).toHaveLength(2)
    }
  })

  test('leaving ends what comes down', async () => {
    const { room, network, until, clock } = await joined(transport)
    await until(room.leave())
    await clock.advance(100)
    expect(network.connections).toBe(0)
    const before = network.requests.length
    await clock.advance(60_000)
    expect(new Set(network.requests.slice(before))).toEqual(new Set(['GET /v1/me']))
  })

  test('a dead network is noticed within 35 s, and left within 5 s when the device wakes up', async () => {
    const { session, network, clock, device } = await joined(transport)
    await clock.advance(3_000)
    network.silent = true
    await clock.runUntil(() => session.state.current.status === 'reconnecting', 36_000)
    network.silent = false
    await clock.runUntil(() => session.state.current.status === 'online')
    await clock.advance(3_000)
    network.silent = true
    device.look()
    await clock.runUntil(() => session.state.current.status === 'reconnecting', 5_000)
  })

  test('what crosses the wire is told to who listens, with its bytes', async () => {
    const { session, room, until } = await joined(transport)
    const events: WireEvent[] = []
    const end = session.on('wire', (event) => events.push(event))
    await until(room.move.add({ n: 1 }))
    end()
    const told = events.length
    await until(room.move.add({ n: 1 }))
    expect(events).toHaveLength(told)
    expect(events.every((event) => event.transport === transport && event.bytes > 0)).toBe(true)
    expect(events.find(({ kind }) => kind === 'head')?.text).toContain('POST /v1/send HTTP/1.1\r\n')
    const frames = (direction: string) =>
      events.filter((event) => event.direction === direction).flatMap((event) => event.frames)
    expect(frames('up')).toEqual([[OP.move, 2, ROOM, 'add', { n: 1 }]])
    expect(frames('down')).toContainEqual([OP.ok, 2, 2])
    expect(frames('down').some((frame) => Array.isArray(frame) && frame[0] === OP.patch)).toBe(true)
  })
})

describe('event streams', () => {
  test('BYE is obeyed: back when told, and over where another page has the session', async () => {
    const { session, http, clock, room, until } = await joined('sse')
    http.bye('restarting', { resume: true, retryAfter: 4_000 })
    await clock.runUntil(() => session.state.current.status === 'reconnecting')
    const since = clock.now()
    await clock.runUntil(() => session.state.current.status === 'online')
    expect(clock.now() - since).toBeGreaterThan(4_000)
    await until(room.move.add({ n: 1 }))
    http.bye('taken over by a newer connection', { resume: false })
    await clock.runUntil(() => session.state.current.status === 'closed')
    expect(session.state.current).toMatchObject({ why: 'taken over', error: { code: 'conflict' } })
  })

  test('that a proxy cuts every 20 s of rest go on, for the server beats every 15 s', async () => {
    const { session, room, network, server, clock } = await joined('sse')
    network.proxy = { ...network.proxy, idle: 20_000 }
    network.cut()
    await clock.advance(600_000)
    server.add('ben', 1)
    await clock.runUntil(() => room.document.game?.total === 1, 100)
    expect(session.transport.current).toBe('sse')
    expect(network.requests.filter((request) => request === 'GET /v1/sse')).toHaveLength(2)
  })

  test('that break off again and again soon after they began are given up, here for long polling', async () => {
    const all = world(1, 'auto')
    all.network.proxy = { ...all.network.proxy, upgrades: 'refuse', idle: 2_000 }
    const session = all.connect()
    const room = await all.until(session.join<Tally>(ROOM))
    await all.clock.runUntil(() => session.transport.current === 'longpoll', 10_000)
    await all.until(room.move.add({ n: 1 }))
  })

  test('a poll that only repeats a NOTE does not make one look broken', async () => {
    const { network, until, room, http } = await joined('sse')
    http.repeats = [OP.note, ROOM, 'chat', { text: 'hi' }]
    const notes: unknown[] = []
    room.on('note', (note) => notes.push(note))
    await until(room.call('start'))
    expect(notes).toEqual([])
    expect(network.requests.filter((request) => request === 'GET /v1/sse')).toHaveLength(1)
  })
})

describe('long polling', () => {
  test('the poll that is held brings the document of a move, and is seldom given up for another', async () => {
    const { room, until, clock, network } = await joined('longpoll')
    const polls = (): number => network.requests.filter((request) => request === 'GET /v1/poll').length
    const before = polls()
    for (let times = 0; times < 50; times++) {
      await until(room.move.add({ n: 1 }))
      await clock.advance(500)
    }
    expect(polls() - before).toBeLessThan(60)
  })

  test('learns how long a proxy lets it wait, and does not take cuts for failures', async () => {
    const { session, network, clock, room, server } = await joined('longpoll')
    network.proxy = { ...network.proxy, idle: 20_000 }
    const states: string[] = []
    session.state.subscribe(({ status }) => states.push(status))
    await clock.advance(600_000)
    expect(states).toEqual([])
    // 25 s twice, cut at 20 s; from then on 14 s.
    expect(network.requests.filter((request) => request === 'GET /v1/poll').length).toBeLessThan(50)
    server.add('ben', 1)
    await clock.runUntil(() => room.document.game?.total === 1, 100)
  })
})

describe('polling', () => {
  test('keeps to its interval, and polls at once after a move', async () => {
    const all = world(1, 'poll')
    const session = all.connect({ pollInterval: 250 })
    const room = await all.until(session.join<Tally>(ROOM))
    const polls = (): number => all.network.requests.filter((request) => request === 'GET /v1/poll').length
    const before = polls()
    await all.clock.advance(60_000)
    expect(polls() - before).toBeGreaterThan(60_000 / (250 + 80))
    expect(polls() - before).toBeLessThanOrEqual(60_000 / 250)
    const start = all.clock.now()
    await all.until(room.move.add({ n: 1 }))
    expect(all.clock.now() - start).toBeLessThan(120)
  })

  test('an interval that asks too much is refused', () => {
    expect(() => world().connect({ pollInterval: 10 })).toThrow('pollInterval is at least 50 ms')
  })
})
