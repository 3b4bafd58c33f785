import { describe, expect, test } from 'vitest'
import type { TransportName } from './link.ts'
import type { Room } from './room.ts'
import type { Session } from './session.ts'
import { ROOM } from './testing/server.ts'
import type { Tally } from './testing/tally.ts'
import { refusal, type World, world } from './testing/world.ts'

interface Fell extends World {
  session: Session
  /** What it ran over, and when, in ms from the beginning. */
  ran: [ms: number, name: TransportName | null][]
}

const begun = (prepare: (world: World) => void = () => {}, seed = 1): Fell => {
  const all = world(seed, 'auto')
  prepare(all)
  const start = all.clock.now()
  const session = all.connect()
  const ran: Fell['ran'] = []
  session.transport.subscribe((name) => ran.push([all.clock.now() - start, name]))
  return { ...all, session, ran }
}

const upgrades = (how: 'refuse' | 'swallow') => (all: World) => {
  all.network.proxy = { ...all.network.proxy, upgrades: how }
}

const played = async ({ session, clock, until }: Fell): Promise<{ room: Room<Tally>; took: number }> => {
  const start = clock.now()
  const room = await until(session.join<Tally>(ROOM))
  await until(room.move.add({ n: 1 }))
  return { room, took: clock.now() - start }
}

describe('auto', () => {
  test('runs over the WebSocket where it works, and asks nothing over HTTP', async () => {
    const all = begun()
    await played(all)
    await all.clock.advance(600_000)
    expect(all.ran.map(([, name]) => name)).toEqual(['websocket'])
    expect(all.network.requests).toEqual([])
  })

  test('plays over event streams within 3 s where upgrades are swallowed', async () => {
    const all = begun(upgrades('swallow'))
    const { took } = await played(all)
    expect(all.session.transport.current).toBe('sse')
    expect(took).toBeGreaterThan(1_500)
    expect(took).toBeLessThan(2_000)
  })

  test('goes on to event streams at once where upgrades are refused', async () => {
    const all = begun(upgrades('refuse'))
    expect((await played(all)).took).toBeLessThan(500)
    expect(all.session.transport.current).toBe('sse')
  })

  test('goes on to long polling where a proxy holds event streams back, within 5 s of a swallowed upgrade', async () => {
    const all = begun((all) => {
      upgrades('swallow')(all)
      all.network.proxy.buffers = true
    })
    const { took } = await played(all)
    expect(all.session.transport.current).toBe('longpoll')
    expect(took).toBeLessThan(5_000)
    // Not tried again for as long as the network is the same.
    await all.clock.advance(900_000)
    expect(all.ran.map(([, name]) => name)).toEqual(['sse', null, 'longpoll'])
  })

  test('goes on to polling where held polls are cut at once', async () => {
    const all = begun((all) => {
      upgrades('refuse')(all)
      all.network.proxy = { ...all.network.proxy, buffers: true, idle: 300 }
    })
    const { room } = await played(all)
    await all.clock.runUntil(() => all.session.transport.current === 'poll', 20_000)
    all.server.add('ben', 5)
    await all.clock.runUntil(() => room.document.game?.total === 6, 1_500)
  })

  test('goes on over event streams, without loss, where a WebSocket falls silent', async () => {
    const all = begun()
    const { room } = await played(all)
    all.network.silentSockets = true
    const silentSince = all.clock.now()
    all.server.add('ben', 5)
    await all.clock.runUntil(() => all.session.transport.current === 'sse', 30_000)
    expect(all.clock.now() - silentSince).toBeLessThan(26_000)
    await all.until(room.move.add({ n: 1 }))
    expect(room.document.game?.total).toBe(7)
  })

  test('goes on over event streams where WebSockets are cut twice soon after they opened', async () => {
    const all = begun()
    const { room } = await played(all)
    for (let times = 0; times < 2; times++) {
      await all.clock.runUntil(() => all.session.transport.current === 'websocket')
      await all.clock.advance(300)
      all.network.cut()
      await all.clock.runUntil(() => all.session.transport.current === null)
    }
    await all.clock.runUntil(() => all.session.transport.current !== null)
    expect(all.session.transport.current).toBe('sse')
    await all.until(room.move.add({ n: 1 }))
  })

  test('a device that is offline for long comes back over the WebSocket', async () => {
    const all = begun()
    await played(all)
    for (let times = 0; times < 3; times++) {
      all.device.online = false
      all.network.down = true
      all.network.silent = true
      all.device.look()
      await all.clock.advance(120_000)
      all.network.down = false
      all.network.silent = false
      all.device.online = true
      all.device.look()
      await all.clock.runUntil(() => all.session.state.current.status === 'online')
    }
    expect(all.session.transport.current).toBe('websocket')
  })

  test('a network that nobody knew to be gone is no fault of the WebSocket', async () => {
    const all = begun()
    await played(all)
    all.network.silent = true
    await all.clock.advance(120_000)
    all.network.silent = false
    await all.clock.runUntil(() => all.session.state.current.status === 'online')
    expect(all.session.transport.current).toBe('websocket')
  })

  test('what worked last is tried first after a break', async () => {
    const all = begun(upgrades('swallow'))
    await played(all)
    all.network.cut()
    await all.clock.runUntil(() => all.session.transport.current === 'sse')
    const cutAt = all.clock.now()
    all.network.down = true
    all.network.cut()
    await all.clock.runUntil(() => all.session.transport.current === null, 30_000)
    all.network.down = false
    await all.clock.runUntil(() => all.session.transport.current === 'sse')
    expect(all.clock.now() - cutAt).toBeLessThan(20_000)
  })
})

describe('upwards', () => {
  test('a session looks after 15 s whether the WebSocket works again, and moves without loss or pause', async () => {
    const all = begun(upgrades('swallow'))
    const { room } = await played(all)
    const statuses: string[] = []
    all.session.state.subscribe(({ status }) => statuses.push(status))
    upgrades('refuse')(all)
    all.network.proxy.upgrades = 'pass'
    const before = all.clock.now()
    const moves: Promise<number>[] = []
    while (all.session.transport.current === 'sse') {
      moves.push(room.move.add({ n: 1 }))
      await all.clock.advance(40)
    }
    const waited = all.clock.now() - before
    expect(waited).toBeGreaterThan(9_000)
    expect(waited).toBeLessThan(15_200)
    const seqs = await all.until(Promise.all(moves))
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
    expect(room.document.game?.total).toBe(moves.length + 1)
    expect(statuses).toEqual([])
    expect(all.ran.map(([, name]) => name)).toEqual(['sse', 'websocket'])
  })

  test('looks ever more rarely, up to every 5 minutes, at times that differ between clients', async () => {
    const looks = async (seed: number): Promise<number[]> => {
      const all = begun(upgrades('swallow'), seed)
      await played(all)
      const times: number[] = []
      const { openSocket } = all.network
      const spied = all.connect({
        token: 'token-ben',
        socket: (url, listener) => {
          times.push(all.clock.now())
          return openSocket(url, listener)
        },
      })
      await all.until(spied.ready)
      await all.clock.advance(3_600_000)
      return times.map((time) => time - (times[0] ?? 0)).slice(1)
    }
    const times = await looks(1)
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    expect(times[0]).toBeLessThan(17_000)
    expect(gaps.slice(0, 3)).toEqual([...gaps.slice(0, 3)].sort((a, b) => a - b))
    expect(Math.max(...gaps)).toBeLessThan(320_000)
    expect(gaps.at(-1)).toBeGreaterThan(220_000)
    expect(times[3]).not.toBe((await looks(2))[3])
  })

  test('a device that comes back to another network tries there what did not work on the one before', async () => {
    const all = begun((all) => {
      upgrades('refuse')(all)
      all.network.proxy.buffers = true
    })
    await played(all)
    expect(all.session.transport.current).toBe('longpoll')
    await all.clock.advance(100_000)
    all.device.online = false
    all.device.look()
    all.network.proxy.buffers = false
    all.device.online = true
    all.device.look()
    await all.clock.runUntil(() => all.session.transport.current === 'sse', 1_000)
  })

  test('looks at once when the network has changed', async () => {
    const all = begun(upgrades('swallow'))
    await played(all)
    await all.clock.advance(100_000)
    all.network.proxy.upgrades = 'pass'
    all.device.look()
    await all.clock.runUntil(() => all.session.transport.current === 'websocket', 200)
  })

  test('a look that fails leaves what runs alone', async () => {
    const all = begun(upgrades('refuse'))
    const { room } = await played(all)
    await all.clock.advance(60_000)
    expect(all.ran.map(([, name]) => name)).toEqual(['sse'])
    await all.until(room.move.add({ n: 1 }))
  })
})

describe('use', () => {
  test('changes the transport of a session that runs, tells it, and stays there', async () => {
    const all = begun()
    const { room } = await played(all)
    const told: string[] = []
    all.session.on('transport', (name) => told.push(name))
    for (const name of ['poll', 'sse', 'longpoll', 'websocket'] as const) {
      await all.until(all.session.use(name))
      expect(all.session.transport.current).toBe(name)
      await all.until(room.move.add({ n: 1 }))
    }
    await all.until(all.session.use('poll'))
    await all.clock.advance(100_000)
    expect(told).toEqual(['poll', 'sse', 'longpoll', 'websocket', 'poll'])
    expect(room.document).toEqual(all.server.document)
    await all.until(all.session.use('auto'))
    await all.clock.runUntil(() => all.session.transport.current === 'websocket', 16_000)
  })

  test('a link that was left, and takes the room over after all, does not end the session; another page does', async () => {
    const all = begun()
    const { room } = await played(all)
    for (const name of ['sse', 'websocket'] as const) {
      await all.until(all.session.use(name))
      await all.until(room.move.add({ n: 1 }))
      if (name === 'sse') all.http.bye('taken over by a newer connection', { resume: false })
      else all.server.closeAll(4002)
      await all.clock.runUntil(() => all.session.state.current.status === 'reconnecting')
      await all.until(room.move.add({ n: 1 }))
      expect(all.session.transport.current).toBe(name)
    }
    all.server.closeAll(4002)
    await all.clock.runUntil(() => all.session.state.current.status === 'closed')
    expect(all.session.state.current).toMatchObject({ why: 'taken over' })
  })

  test('a link that was lost, and takes the room over after all, does not end the session', async () => {
    const all = begun()
    const { room } = await played(all)
    all.network.cut()
    await all.clock.runUntil(() => all.session.transport.current === null)
    await all.until(room.move.add({ n: 1 }))
    all.server.closeAll(4002)
    await all.clock.runUntil(() => all.session.state.current.status === 'reconnecting')
    await all.until(room.move.add({ n: 1 }))
    await all.clock.advance(31_000)
    all.server.closeAll(4002)
    await all.clock.runUntil(() => all.session.state.current.status === 'closed')
  })

  test('of the one that runs keeps it, whatever was being opened beside it', async () => {
    const all = begun()
    await played(all)
    await all.until(all.session.use('sse'))
    const other = refusal(all.session.use('websocket'))
    await all.until(all.session.use('sse'))
    expect(await all.until(other)).toMatchObject({ code: 'unavailable' })
    await all.clock.advance(60_000)
    expect(all.session.transport.current).toBe('sse')
  })

  test('of one that does not work rejects, and everything goes on as it was', async () => {
    const all = begun(upgrades('refuse'))
    const { room } = await played(all)
    const error = await all.until(refusal(all.session.use('websocket')))
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('websocket could not be opened'),
    })
    expect(all.session.transport.current).toBe('sse')
    await all.until(room.move.add({ n: 1 }))
  })

  test('is settled by a later one, by a break and by the end of the session', async () => {
    const all = begun(upgrades('swallow'))
    await played(all)
    const [first, second] = [all.session.use('websocket'), all.session.use('poll')]
    expect(await all.until(refusal(first))).toMatchObject({ code: 'unavailable' })
    await all.until(second)
    const third = refusal(all.session.use('websocket'))
    all.session.close()
    expect(await all.until(third)).toMatchObject({ code: 'unavailable' })
    expect(await all.until(refusal(all.session.use('poll')))).toMatchObject({ message: 'the session was closed' })
    await all.clock.advance(100)
    expect(all.clock.timers).toBe(0)
  })

  test('without a connection holds for the next one', async () => {
    const all = begun()
    await played(all)
    all.network.down = true
    all.network.cut()
    await all.clock.runUntil(() => all.session.transport.current === null)
    const used = all.session.use('poll')
    all.network.down = false
    await all.until(used)
    expect(all.session.transport.current).toBe('poll')
  })
})

test('whoever asks for another transport when a session closes opens nothing', async () => {
  const all = begun()
  await played(all)
  const asked: Promise<unknown>[] = []
  all.session.transport.subscribe((name) => name === null && asked.push(refusal(all.session.use('sse'))))
  all.session.close()
  expect(await all.until(Promise.all(asked))).toMatchObject([{ message: 'the session was closed' }])
  await all.clock.advance(60_000)
  expect({ timers: all.clock.timers, connections: all.network.connections }).toEqual({ timers: 0, connections: 0 })
})

test('a session that is closed by who hears that it is up stays closed', async () => {
  for (const event of ['transport', 'state'] as const) {
    const all = begun(upgrades('refuse'))
    const close = (): void => all.session.close()
    if (event === 'transport') all.session.on('transport', close)
    else all.session.state.subscribe(close)
    await all.clock.advance(1_000)
    expect(all.session.state.current.status).toBe('closed')
    expect(all.session.transport.current).toBeNull()
    expect(all.clock.timers).toBe(0)
  }
})

test('a transport that was asked for is the only one that is tried', async () => {
  for (const transport of ['sse', 'longpoll', 'poll'] as const) {
    const all = world(1, transport)
    const session = all.connect()
    await all.until(session.join(ROOM))
    await all.clock.advance(400_000)
    expect(session.transport.current).toBe(transport)
    expect(all.network.opened).toBe(0)
  }
})
