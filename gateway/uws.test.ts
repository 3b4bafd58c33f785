import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { localBus } from '../bus/local.ts'
import { ENGINES_SUBJECT } from '../bus/subjects.ts'
import { endAll, serve, type Wire } from './testing/server.ts'
import { PortInUse } from './uws.ts'

afterEach(endAll)

const SOON = { timeout: 20_000 }
const secret = 's'.repeat(32)
const heads = (frames: unknown[][]) => frames.map((frame) => frame.slice(0, 4))
type Served = Awaited<ReturnType<typeof serve>>

/** A client that stands in this room at seq 1. */
const member = async ({ guest, connect }: Served, name: string, room: string, role = 'player'): Promise<Wire> => {
  const { token } = await guest(name)
  const client = connect()
  await client.opened()
  client.send([1, { v: 1, token }], [3, 1, room, { role }])
  await client.got(3)
  client.received.length = 0
  return client
}

test('over a real socket: a guest says HELLO, joins, moves, and gets the answers', async () => {
  const { guest, connect, engine } = await serve()
  const { token, player } = await guest('Ann')
  const client = connect()
  await client.opened()
  client.send([1, { v: 1, token }], [3, 1, 'room'], [5, 2, 'room', 'mark', { cell: 4 }])
  const [welcome, ...rest] = await client.got(4)
  expect(welcome).toMatchObject([32, { player, resumed: false, limits: { frame: 16_384, rate: 50 } }])
  expect(rest).toMatchObject([
    [33, 1, { room: 'room' }],
    [35, 'room', 1, {}],
    [33, 2, 'mark'],
  ])
  expect(engine.commands.map(({ room }) => room)).toEqual(['room'])
})

test.each([
  ['Authorization: Bearer', (token: string) => ({ authorization: `Bearer ${token}` })],
  ['the cookie', (token: string) => ({ cookie: `other=1; madang=${token}` })],
])('the upgrade request may carry the token as %s', async (_what, headers) => {
  const { guest, connect } = await serve()
  const { token, player } = await guest('Ann')
  const client = connect({ headers: headers(token) })
  await client.opened()
  client.send([1, { v: 1 }])
  expect(await client.got(1)).toMatchObject([[32, { player }]])
})

test('a bad token still upgrades, gets ERR unauthorized, then 4001', async () => {
  const { connect } = await serve()
  const client = connect({ headers: { authorization: 'Bearer nonsense' } })
  await client.opened()
  client.send([1, { v: 1 }])
  expect(await client.closed()).toMatchObject({ code: 4001 })
  expect(client.received).toMatchObject([[34, null, 'unauthorized', expect.any(String)]])
})

test('a token of 10 KB in headers is read, not answered with 431', async () => {
  const { connect } = await serve()
  const client = connect({ headers: { cookie: `padding=${'x'.repeat(10_000)}` } })
  await client.opened()
})

test('Origin: the same host and none may connect, another gets 403', async () => {
  const { url, connect } = await serve()
  await connect().opened()
  await connect({ origin: url }).opened()
  for (const origin of ['http://evil.example', 'null']) {
    const refused = connect({ origin })
    await vi.waitFor(() => expect(refused.state.status).toBe(403), SOON)
  }
})

test('Origin: with an allow-list those on it may connect, the host itself only where it is named', async () => {
  const { url, connect } = await serve({ origins: ['https://play.example'] })
  await connect({ origin: 'https://play.example' }).opened()
  const refused = connect({ origin: url })
  await vi.waitFor(() => expect(refused.state.status).toBe(403), SOON)
})

test('the subprotocol madang.v1 is echoed where it is offered, and may be left out', async () => {
  const { url } = await serve()
  const upgrade = async (protocol: string) => {
    const socket = connectTcp(Number(new URL(url).port), '127.0.0.1')
    const offer = protocol === '' ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`
    socket.write(
      `GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n${offer}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    const [answer] = await once(socket, 'data')
    socket.destroy()
    return String(answer)
  }
  expect(await upgrade('other, madang.v1')).toMatch(/^HTTP\/1.1 101 [\s\S]*sec-websocket-protocol: madang\.v1/i)
  for (const protocol of ['', 'other']) {
    const answer = await upgrade(protocol)
    expect(answer).toMatch(/^HTTP\/1.1 101 /)
    expect(answer).not.toMatch(/sec-websocket-protocol/i)
  }
})

test('close codes over the wire: 1003 for text, 4000 for garbage, 1008 without HELLO first', async () => {
  const { connect } = await serve()
  const clients = [connect(), connect(), connect()]
  for (const client of clients) await client.opened()
  clients[0]?.socket.send('hello')
  clients[1]?.socket.send(Buffer.of(0xc1))
  clients[2]?.send([8, 1])
  expect(await Promise.all(clients.map(async (client) => (await client.closed())?.code))).toEqual([1003, 4000, 1008])
})

test('a frame above the limit gets 1009 up to eight times it; beyond, the connection is cut', async () => {
  const { connect, server } = await serve()
  const large = connect()
  const huge = connect()
  await large.opened()
  await huge.opened()
  large.socket.send(Buffer.alloc(16_384 * 8))
  huge.socket.send(Buffer.alloc(16_384 * 8 + 1))
  expect(await large.closed()).toMatchObject({ code: 1009 })
  expect(await huge.closed()).toMatchObject({ code: 1006 })
  await vi.waitFor(() => expect(server.gateway.held().connections).toBe(0), SOON)
})

test('no HELLO for 5 s: 1008', async () => {
  const { connect } = await serve()
  const client = connect()
  await client.opened()
  expect(await client.closed()).toMatchObject({ code: 1008 })
})

test('P5 a player that does not read is ended while the others go on; the gateway keeps at most its hard limit', async () => {
  const served = await serve()
  const slow = await member(served, 'Slow', 'room')
  const quick = await member(served, 'Quick', 'room')
  const { engine, server } = served
  slow.socket.pause()
  const text = 'x'.repeat(60_000)
  let sent = 0
  await vi.waitFor(
    () => {
      engine.say(engine.output('room', 2 + sent, [1, 2], { emits: [[37, 'room', 2 + sent, { type: text }]] }))
      sent++
      expect(server.gateway.counters.closes.get(4003)).toBe(1)
    },
    { timeout: 20_000, interval: 5 },
  )
  await quick.got(sent)
  expect(quick.state.closed).toBeNull()
  expect(server.gateway.held().connections).toBe(1)
  slow.socket.resume()
  expect(await slow.closed()).toMatchObject({ code: 4003 })
  expect(slow.received.length).toBeLessThan(sent)
})

test('P5 a spectator that does not read misses what is published, the others do not, and it gets a STATE when it reads again', async () => {
  const served = await serve()
  const slow = await member(served, 'Slow', 'room', 'spectator')
  const others = [
    await member(served, 'Quick', 'room', 'spectator'),
    await member(served, 'Third', 'room', 'spectator'),
  ]
  const { engine } = served
  let head = 1
  engine.onRequest = (request) => {
    if (request.kind !== 'attach') return engine.obey(request)
    const { members } = request
    for (const [i, { conn }] of members.entries())
      engine.say({
        ...engine.answer(
          request,
          [[35, 'room', head, { fresh: true }]],
          { role: 'spectator', seq: head, heard: head },
          conn,
        ),
        done: i === members.length - 1,
      })
  }
  slow.socket.pause()
  const text = 'x'.repeat(60_000)
  await vi.waitFor(
    () => {
      head++
      engine.say(
        engine.output('room', head, 'spectators', {
          document: [head - 1, head],
          emits: [[37, 'room', head, { type: text }]],
        }),
      )
      // Behind: the gateway has taken it out of the audience, so that two remain.
      expect(served.server.gateway.spectatorsBehind()).toBe(1)
    },
    { timeout: 20_000, interval: 5 },
  )
  head++
  engine.say(engine.output('room', head, 'spectators', { document: [head - 1, head] }))
  for (const other of others) await other.got(2 * (head - 2) + 1)
  slow.socket.resume()
  await vi.waitFor(() => expect(slow.received.at(-1)).toEqual([35, 'room', head, { fresh: true }]), SOON)
  head++
  engine.say(engine.output('room', head, 'spectators', { document: [head - 1, head] }))
  await vi.waitFor(() => expect(heads(slow.received).at(-1)).toEqual([36, 'room', head - 1, head]), SOON)
  expect(slow.state.closed).toBeNull()
})

test('P3 what is published and what is sent to one spectator arrive in the order in which they left', async () => {
  const served = await serve()
  const watchers = [await member(served, 'Ann', 'room', 'spectator'), await member(served, 'Bob', 'room', 'spectator')]
  const { engine } = served
  engine.onRequest = (request) => {
    if (request.kind !== 'command') return
    engine.say(
      engine.output('room', 2, 'spectators', { document: [1, 2] }),
      engine.answer(request, [[33, 2]]),
      engine.output('room', 3, 'spectators', { document: [2, 3] }),
    )
  }
  watchers[1]?.send([7, 2, 'room', 'chat', {}])
  expect(heads((await watchers[1]?.got(3)) ?? [])).toEqual([
    [36, 'room', 1, 2],
    [33, 2],
    [36, 'room', 2, 3],
  ])
  expect(heads((await watchers[0]?.got(2)) ?? [])).toEqual([
    [36, 'room', 1, 2],
    [36, 'room', 2, 3],
  ])
})

test('takeover: 4002 reaches the client', async () => {
  const served = await serve()
  const client = await member(served, 'Ann', 'room')
  served.engine.say({ kind: 'close', room: 'room', conn: 1, code: 4002, reason: 'taken over' })
  expect(await client.closed()).toEqual({ code: 4002, reason: 'taken over' })
})

test('a gateway is ready once an engine says that it is there', async () => {
  const bus = localBus()
  const { url, server } = await serve({ bus })
  const status = async () => (await fetch(`${url}/readyz`)).status
  expect([server.isReady(), await status()]).toEqual([false, 503])
  bus.publish(ENGINES_SUBJECT, { kind: 'engine-beat', engine: 'engine-1', owns: [] })
  await vi.waitFor(() => expect(server.isReady()).toBe(true), SOON)
  expect(await status()).toBe(200)
})

test('draining: BYE with resume, then 1012; new upgrades get 503', async () => {
  const served = await serve()
  const client = await member(served, 'Ann', 'room')
  const { server, connect } = served
  await server.drain()
  expect(await client.closed()).toMatchObject({ code: 1012 })
  expect(client.received).toEqual([[41, 'restarting', { retryAfter: expect.any(Number), resume: true }]])
  const late = connect()
  await vi.waitFor(() => expect(late.state.status).toBe(503), SOON)
})

test('a port in use is refused with a message that says what to do', async () => {
  const { server } = await serve()
  const second = serve({ port: server.port })
  await expect(second).rejects.toThrow(PortInUse)
  await expect(second).rejects.toThrow(new RegExp(`127.0.0.1:${server.port}.*--port`))
})

test('after close the port is free again', async () => {
  const { server } = await serve()
  const { port } = server
  await server.close()
  expect((await serve({ port })).server.port).toBe(port)
})

test('guests share a rate by the address that the trusted proxy saw', async () => {
  const { connect, guest } = await serve({ trustProxy: 1, limits: { frame: 16_384, rate: 1 } })
  const guests = await Promise.all(Array.from({ length: 15 }, (_, i) => guest(`Guest ${i}`)))
  const pongs = async (address: string) => {
    const clients = guests.map(() => connect({ headers: { 'x-forwarded-for': `203.0.113.9, ${address}` } }))
    for (const [i, client] of clients.entries()) {
      await client.opened()
      client.send([1, { v: 1, token: guests[i]?.token }], [8, i])
    }
    for (const client of clients) await client.got(2)
    return clients.filter(({ received }) => received[1]?.[0] === 39).length
  }
  expect(await pongs('198.51.100.1')).toBe(15)
  expect(await pongs('198.51.100.2')).toBe(15)
})

test('TLS on the same port', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'madang-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
    ],
    { stdio: 'ignore' },
  )
  const { server } = await serve({ tls: { cert, key }, keys: { by: 'secret', secret } })
  const { WebSocket } = await import('ws')
  const socket = new WebSocket(`wss://127.0.0.1:${server.port}/v1/ws`, { rejectUnauthorized: false })
  await once(socket, 'open')
  socket.terminate()
  rmSync(folder, { recursive: true })
})
