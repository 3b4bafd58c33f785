import { describe, expect, test } from 'vitest'
import { OP } from '../protocol/frames.ts'
import type { Fetch, FetchAnswer } from './environment.ts'
import { ROOM } from './testing/server.ts'
import type { Tally } from './testing/tally.ts'
import { refusal, type World, world } from './testing/world.ts'

const online = async (seed?: number): Promise<World & { session: ReturnType<World['connect']> }> => {
  const all = world(seed)
  const session = all.connect()
  await all.until(session.ready)
  return { ...all, session }
}

describe('a connection', () => {
  test('pings at once and every 10 s, so that it is never taken for dead', async () => {
    const { server, clock, network, session } = await online()
    await clock.advance(120_500)
    expect(server.pings).toBe(1 + 12)
    expect(network.opened).toBe(1)
    expect(session.state.current.status).toBe('online')
  })

  test('leaves a server that is silent for 25 s, not sooner, and comes back', async () => {
    const { clock, network, session } = await online()
    await clock.advance(5_000)
    network.silent = true
    const silentSince = clock.now()
    await clock.runUntil(() => session.state.current.status === 'reconnecting')
    expect(clock.now() - silentSince).toBeGreaterThan(19_000)
    expect(clock.now() - silentSince).toBeLessThanOrEqual(25_000)
    network.silent = false
    await clock.runUntil(() => session.state.current.status === 'online')
  })

  test('gives up on a server that accepts and does not say WELCOME, and tries again', async () => {
    const { clock, network, connect } = world()
    network.silent = true
    const session = connect()
    await clock.advance(30_000)
    expect(session.state.current.status).toBe('connecting')
    network.silent = false
    await clock.runUntil(() => session.state.current.status === 'online', 20_000)
  })

  test('attempts ever more rarely while the server is down, up to 15 s apart, and at once differs between clients', async () => {
    const attempts = async (seed: number): Promise<number[]> => {
      const { clock, network, session } = await online(seed)
      const times: number[] = []
      const start = clock.now()
      network.down = true
      network.cut()
      let before = 0
      while (clock.now() - start < 600_000) {
        await clock.runUntil(() => network.connections !== before)
        before = network.connections
        if (before === 1) times.push(clock.now() - start)
      }
      expect(session.state.current.status).toBe('reconnecting')
      return times
    }
    const times = await attempts(1)
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    expect(Math.max(...gaps)).toBeLessThanOrEqual(15_020)
    // Full jitter: 7.5 s on the average once the cap is reached, so about 80 attempts in ten minutes.
    expect(times.length).toBeGreaterThan(50)
    expect(times.length).toBeLessThan(130)
    expect(times[0]).not.toBe((await attempts(2))[0])
  })

  test('begins with short waits again after a connection that held', async () => {
    const { clock, network, session } = await online()
    network.down = true
    network.cut()
    await clock.advance(300_000)
    network.down = false
    await clock.runUntil(() => session.state.current.status === 'online')
    await clock.advance(5_000)
    network.cut()
    const cutAt = clock.now()
    await clock.runUntil(() => session.state.current.status === 'reconnecting')
    await clock.runUntil(() => session.state.current.status === 'online')
    expect(clock.now() - cutAt).toBeLessThan(250 + 80)
  })

  test('neither hammers a server that falls again and again, nor stays away from it for long', async () => {
    const { clock, network, session } = await online()
    const gaps: number[] = []
    for (let i = 0; i < 100; i++) {
      await clock.advance(500)
      network.cut()
      const cutAt = clock.now()
      await clock.runUntil(() => session.state.current.status === 'reconnecting')
      await clock.runUntil(() => session.state.current.status === 'online')
      gaps.push(clock.now() - cutAt)
    }
    expect(Math.max(...gaps)).toBeLessThan(2_000 + 80)
    expect(gaps.reduce((a, b) => a + b) / gaps.length).toBeGreaterThan(800)
  })

  test.each([1006, 1012, 4003, 1001])('comes back after close code %i', async (code) => {
    const { clock, server, session } = await online()
    server.closeAll(code)
    await clock.runUntil(() => session.state.current.status === 'reconnecting')
    await clock.runUntil(() => session.state.current.status === 'online')
  })

  test.each([
    [4002, 'taken over', 'conflict', 'taken over by a newer connection'],
    [4000, 'refused', 'bad_frame', '4000: element 3'],
    [1009, 'refused', 'bad_frame', '1009: element 3'],
    [1003, 'refused', 'bad_frame', '1003: element 3'],
  ])('is closed for good by close code %i', async (code, why, errorCode, message) => {
    const { clock, server, session, network } = await online()
    server.closeAll(code, 'element 3')
    await clock.runUntil(() => session.state.current.status === 'closed')
    expect(session.state.current).toMatchObject({ why, error: { code: errorCode } })
    expect(JSON.stringify(session.state.current)).not.toBe('')
    const { current } = session.state
    expect(current.status === 'closed' && current.error.message).toContain(message)
    await clock.advance(60_000)
    expect(network.opened).toBe(1)
    expect(clock.timers).toBe(0)
  })

  test('is closed for good by a refused token, with the reason of the server', async () => {
    const { connect, until, clock, network } = world()
    const session = connect({ token: 'wrong token' })
    expect(await until(refusal(session.ready))).toMatchObject({
      code: 'unauthorized',
      message: 'the token is not valid',
    })
    expect(session.state.current).toMatchObject({ status: 'closed', why: 'unauthorized' })
    await clock.advance(60_000)
    expect(network.opened).toBe(1)
  })

  test('is closed for good where the page may not open a socket', async () => {
    const { connect, until, clock } = world()
    const socket = (): never => {
      throw new Error('mixed content')
    }
    const error = await until(refusal(connect({ socket }).ready))
    expect(error).toMatchObject({ code: 'forbidden', message: expect.stringContaining('ws://test/v1/ws') })
    expect(clock.timers).toBe(0)
  })

  test('is closed for good where the server does not speak this version', async () => {
    const { connect, server, until, clock, network } = world()
    const session = connect()
    await clock.runUntil(() => network.opened === 1)
    server.say([OP.err, null, 'bad_frame', 'v: this server speaks 2'])
    server.closeAll(1000)
    expect(await until(refusal(session.ready))).toMatchObject({ code: 'bad_frame', message: 'v: this server speaks 2' })
  })

  test('gives up after the third 1008 in a row', async () => {
    const { clock, server, session, network } = await online()
    for (let i = 0; i < 3; i++) {
      await clock.runUntil(() => session.state.current.status === 'online')
      server.closeAll(1008, 'too many sockets')
      await clock.runUntil(() => session.state.current.status !== 'online')
    }
    const error = { code: 'forbidden', message: 'too many sockets' }
    expect(session.state.current).toMatchObject({ status: 'closed', why: 'refused', error })
    expect(network.opened).toBe(3)
  })

  test('after BYE comes back when told, also where the network wakes up before; sends nothing meanwhile', async () => {
    const { clock, server, session, until, device, network } = await online()
    const room = await until(session.join<Tally>(ROOM))
    server.say([OP.bye, 'restarting', { resume: true, retryAfter: 4_000 }])
    await clock.advance(100)
    const move = room.move.add({ n: 1 })
    await clock.advance(100)
    expect(server.log).toHaveLength(0)
    server.closeAll(1012)
    await clock.runUntil(() => session.state.current.status === 'reconnecting')
    const closedAt = clock.now()
    await clock.advance(1_000)
    device.look()
    await clock.runUntil(() => network.opened === 2)
    expect(clock.now() - closedAt).toBeGreaterThan(4_000)
    expect(clock.now() - closedAt).toBeLessThan(4_400)
    expect(await until(move)).toBe(2)
  })

  test('leaves a server that says BYE and does not close', async () => {
    const { clock, server, session } = await online()
    server.say([OP.bye, 'restarting', { resume: true }])
    await clock.runUntil(() => session.state.current.status === 'reconnecting', 11_000)
  })

  test('a BYE without resume is the end', async () => {
    const { clock, server, session } = await online()
    server.say([OP.bye, 'maintenance', { resume: false }])
    server.closeAll(1001)
    await clock.runUntil(() => session.state.current.status === 'closed')
    expect(session.state.current).toMatchObject({ error: { message: 'the server ended the session: maintenance' } })
  })

  test('reconnects at once when the device says that its network is back, and says offline until then', async () => {
    const { clock, network, session, device } = await online()
    device.online = false
    network.down = true
    network.cut()
    await clock.advance(120_000)
    expect(session.state.current.status).toBe('offline')
    network.down = false
    device.online = true
    const before = clock.now()
    device.look()
    await clock.runUntil(() => session.state.current.status === 'online')
    expect(clock.now() - before).toBeLessThan(100)
  })

  test('asks a server that may be gone for a sign of life when the device wakes up, and leaves it after 5 s', async () => {
    const { clock, network, session, device } = await online()
    await clock.advance(2_000)
    network.silent = true
    device.look()
    await clock.runUntil(() => session.state.current.status === 'reconnecting', 5_000)
    network.silent = false
    await clock.runUntil(() => session.state.current.status === 'online')
    device.look()
    await clock.advance(8_000)
    expect(session.state.current.status).toBe('online')
  })

  test('leaves a server whose frames cannot be read', async () => {
    const { clock, server, session } = await online()
    // biome-ignore lint/suspicious/noExplicitAny: what a broken server sends has no type
    server.say([OP.patch, ROOM, 'one', 2, []] as any)
    await clock.runUntil(() => session.state.current.status === 'reconnecting')
  })
})

const jsonAnswer = (status: number, body: unknown): FetchAnswer => {
  const reads = [{ done: false, value: new TextEncoder().encode(JSON.stringify(body)) }, { done: true }]
  return {
    status,
    headers: new Headers(),
    body: { getReader: () => ({ read: async () => reads.shift() ?? { done: true } }) },
  }
}

describe('a guest', () => {
  const answering = (answers: { status: number; body: unknown }[]): { fetch: Fetch; asked: unknown[][] } => {
    const asked: unknown[][] = []
    const fetch: Fetch = (url, init) => {
      asked.push([url, init.method, JSON.parse(String(init.body))])
      const answer = answers.shift()
      if (!answer) return Promise.reject(new TypeError('fetch failed'))
      return Promise.resolve(jsonAnswer(answer.status, answer.body))
    }
    return { fetch, asked }
  }

  test('is made once, and its token serves every connection', async () => {
    const { connect, until, network, clock, server } = world()
    const { fetch, asked } = answering([{ status: 201, body: { token: 'token-guest1', player: { id: 'guest1' } } }])
    const session = connect({ url: 'ws://test/', guest: 'Ann', fetch })
    await until(session.ready)
    expect(session.player?.id).toBe('guest1')
    expect(session.token).toBe('token-guest1')
    network.cut()
    await clock.runUntil(() => network.opened === 2)
    await clock.advance(100)
    expect(asked).toEqual([['http://test/v1/guests', 'POST', { name: 'Ann' }]])
    expect(server.received.filter(([op]) => op === OP.hello)).toHaveLength(2)
  })

  test('is asked for again while the server does not answer or has trouble', async () => {
    const { connect, clock } = world()
    const answers: { status: number; body: unknown }[] = [{ status: 503, body: { code: 'unavailable' } }]
    const { fetch, asked } = answering(answers)
    const session = connect({ guest: 'Ann', fetch })
    await clock.advance(20_000)
    expect(asked.length).toBeGreaterThan(3)
    expect(session.state.current.status).toBe('connecting')
    answers.push({ status: 201, body: { token: 'token-guest1' } })
    await clock.runUntil(() => session.state.current.status === 'online')
  })

  test('whose request gets no answer at all is asked for again', async () => {
    const { connect, clock } = world()
    const { fetch, asked } = answering([])
    const token = jsonAnswer(201, { token: 'token-guest1' })
    const session = connect({
      guest: 'Ann',
      fetch: (url, init) =>
        asked.length === 0 ? fetch(url, init).catch(() => new Promise(() => {})) : Promise.resolve(token),
    })
    await clock.runUntil(() => session.state.current.status === 'online', 11_000)
  })

  test('is refused for good where guests are off', async () => {
    const { connect, until } = world()
    const { fetch } = answering([{ status: 403, body: { code: 'forbidden', detail: 'guests are off' } }])
    const session = connect({ guest: 'Ann', fetch })
    const refused = { code: 'forbidden', message: 'guests are off' }
    expect(await until(refusal(session.ready))).toMatchObject(refused)
    expect(session.state.current).toMatchObject({ status: 'closed', why: 'refused' })
  })
})
