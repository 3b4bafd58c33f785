import { expect, test } from 'vitest'
import { encode } from '../protocol/codec.ts'
import { Refusal } from '../protocol/errors.ts'
import { plainAuthenticator, rig } from './testing/rig.ts'

const hello = (more: object = {}) => [1, { v: 1, token: 'player:ann', ...more }]

test('without a HELLO within 5 s a connection is ended with 1008, and not before', async () => {
  const { connect, time } = rig()
  const client = connect()
  await time.advance(4_999)
  expect(client.closed).toBeNull()
  await time.advance(1)
  expect(client.closed).toMatchObject({ code: 1008 })
})

test('a HELLO in time ends that deadline', async () => {
  const { connect, time, settle } = rig()
  const client = connect()
  await time.advance(4_900)
  client.send(hello())
  await settle()
  await time.advance(1_000)
  expect(client.closed).toBeNull()
})

test.each([
  ['a frame of another op', [8, 1]],
  ['a frame of an op that does not exist', [77]],
])('%s before HELLO: 1008', async (_what, frame) => {
  const { connect, settle, engine } = rig()
  const client = connect()
  client.send(frame)
  await settle()
  expect(client.closed).toMatchObject({ code: 1008 })
  expect(engine.requests).toEqual([])
})

test.each([
  ['another version', [1, { v: 2, token: 'player:ann' }]],
  ['no map', [1]],
  ['a session that is not text', hello({ session: 5 })],
  ['a token that is not text', hello({ token: 5 })],
])('a HELLO with %s gets bad_frame, and a valid one may follow', async (_what, frame) => {
  const { connect, settle } = rig()
  const client = connect()
  client.send(frame)
  await settle()
  expect(client.take()).toMatchObject([[34, null, 'bad_frame', expect.any(String)]])
  client.send(hello())
  await settle()
  expect(client.take()).toMatchObject([[32, { player: { id: 'ann' } }]])
})

test('HELLOs that are refused again and again end the connection with 1008', async () => {
  const { connect, settle } = rig()
  const client = connect()
  for (let i = 0; i < 5; i++) client.send([1, { v: 2 }])
  await settle()
  expect(client.closed).toMatchObject({ code: 1008 })
})

test('a second HELLO gets bad_frame and changes nothing', async () => {
  const { online, settle } = rig()
  const client = await online('ann')
  client.send([1, { v: 1, token: 'player:eve' }], [8, 5])
  await settle()
  expect(client.take()).toMatchObject([
    [34, null, 'bad_frame', expect.any(String)],
    [39, 5, expect.any(Number)],
  ])
})

test('a valid session is echoed with resumed: true; without one the server makes one of its own', async () => {
  const { connect, settle } = rig()
  const clients = [connect(), connect(), connect(), connect(), connect()]
  clients[0]?.send(hello({ session: 'my-own-session_1' }))
  clients[1]?.send(hello())
  clients[2]?.send(hello({ session: null }))
  clients[3]?.send(hello({ session: 'short' }))
  clients[4]?.send(hello({ session: 'sixteen chars or' }))
  await settle()
  const [own, made, other, ...flawed] = clients.map((client) => client.take()[0]?.[1])
  for (const welcome of flawed)
    expect(welcome).toMatchObject({ session: expect.stringMatching(/^[A-Za-z0-9_-]{16,64}$/), resumed: false })
  expect(own).toMatchObject({ session: 'my-own-session_1', resumed: true })
  expect(made).toMatchObject({ session: expect.stringMatching(/^[A-Za-z0-9_-]{16,64}$/), resumed: false })
  expect(other).toMatchObject({ resumed: false })
  expect(made).not.toMatchObject({ session: Object(other).session })
})

test('the token may come with the upgrade request; one in HELLO goes before it', async () => {
  const { connect, settle } = rig()
  const upgraded = connect({ token: 'player:bob' })
  upgraded.send([1, { v: 1 }])
  const both = connect({ token: 'player:bob' })
  both.send(hello())
  await settle()
  expect(upgraded.take()).toMatchObject([[32, { player: { id: 'bob' } }]])
  expect(both.take()).toMatchObject([[32, { player: { id: 'ann' } }]])
})

test.each([
  ['a bad token', hello({ token: 'nonsense' })],
  ['no token at all', [1, { v: 1 }]],
  ['a token beyond all measure', hello({ token: 'x'.repeat(9_000) })],
])('%s: ERR unauthorized, then 4001', async (_what, frame) => {
  const { connect, settle, gateway } = rig()
  const client = connect()
  client.send(frame)
  await settle()
  expect(client.received).toMatchObject([[34, null, 'unauthorized', expect.any(String)]])
  expect(client.closed).toMatchObject({ code: 4001 })
  expect(gateway.held().connections).toBe(0)
})

test('while keys cannot be had a client is told to come back, not that its token is bad', async () => {
  const verify = () => Promise.reject(new Refusal('unavailable', 'no keys'))
  const { connect, settle } = rig({ authenticator: { verify } })
  const client = connect()
  client.send(hello())
  await settle()
  expect(client.received).toMatchObject([
    [34, null, 'unavailable', 'no keys'],
    [41, expect.any(String), { resume: true }],
  ])
  expect(client.closed).toMatchObject({ code: 1012 })
})

test('a token that is never decided upon ends the connection after 10 s', async () => {
  const { connect, time } = rig({ authenticator: { verify: () => new Promise(() => {}) } })
  const client = connect()
  client.send(hello())
  await time.advance(10_000)
  expect(client.closed).toMatchObject({ code: 1012 })
})

test('frames pipelined behind HELLO are kept in order while the token is checked', async () => {
  let decide = () => {}
  const verify = async (token: string) => {
    await new Promise<void>((resolve) => {
      decide = resolve
    })
    return plainAuthenticator.verify(token)
  }
  const { connect, settle, engine } = rig({ authenticator: { verify } })
  const client = connect()
  client.send(hello(), [8, 1], [3, 1, 'room'], [5, 2, 'room', 'a'], [8, 2])
  await settle()
  expect(client.received).toEqual([])
  expect(engine.requests).toEqual([])
  decide()
  await settle()
  const frames = client.take()
  expect(frames.filter(([op]) => op === 32 || op === 39)).toMatchObject([
    [32, {}],
    [39, 1, expect.any(Number)],
    [39, 2, expect.any(Number)],
  ])
  expect(frames.filter(([op]) => op === 33)).toMatchObject([
    [33, 1, {}],
    [33, 2, 'a'],
  ])
  expect(engine.commands).toHaveLength(1)
})

test('what waits behind HELLO is bounded: too many frames end the connection with 1008', async () => {
  const { connect, settle } = rig({ authenticator: { verify: () => new Promise(() => {}) } })
  const client = connect()
  client.send(hello())
  for (let i = 0; i < 300; i++) client.send([8, i])
  await settle()
  expect(client.closed).toMatchObject({ code: 1008 })
})

test('a malformed frame pipelined behind HELLO closes with 4000 and what follows has no effect', async () => {
  const { connect, settle, engine } = rig()
  const client = connect()
  client.send(hello())
  client.socket.send(Uint8Array.of(0xc1))
  client.send([3, 1, 'room'])
  await settle()
  expect(client.closed).toMatchObject({ code: 4000 })
  expect(engine.commands).toEqual([])
})

test.each([
  ['bytes that are not msgpack', Uint8Array.of(0xc1)],
  ['bytes left over', Uint8Array.of(0x92, 8, 1, 0)],
  ['a cut frame', Uint8Array.of(0x93, 8)],
  ['no array', Uint8Array.of(8)],
  ['an empty array', Uint8Array.of(0x90)],
  ['an array that begins with text', encode(['hello'])],
  ['nothing', new Uint8Array(0)],
  ['33 levels', Uint8Array.of(0x92, 8, ...new Array(32).fill(0x91), 0)],
])('%s: 4000, before and after WELCOME', async (_what, bytes) => {
  const { connect, online, settle } = rig()
  const fresh = connect()
  fresh.socket.send(bytes)
  const client = await online('ann')
  client.socket.send(bytes)
  await settle()
  expect(fresh.closed).toMatchObject({ code: 4000 })
  expect(client.closed).toMatchObject({ code: 4000 })
})

test('a text message: 1003', async () => {
  const { connect, settle } = rig()
  const client = connect()
  client.socket.sendText()
  await settle()
  expect(client.closed).toMatchObject({ code: 1003 })
})

test('a frame of the limit passes, one byte more: 1009', async () => {
  const { online, settle } = rig()
  const client = await online('ann')
  const frame = (bytes: number) => {
    const fixed = encode([5, 1, 'room', 'move', 'x'.repeat(1_000)]).length - 1_000
    return encode([5, 1, 'room', 'move', 'x'.repeat(bytes - fixed)])
  }
  expect(frame(16_384)).toHaveLength(16_384)
  client.socket.send(frame(16_384))
  await settle()
  expect(client.take()).toMatchObject([[33, 1, 'move']])
  client.socket.send(frame(16_385))
  await settle()
  expect(client.closed).toMatchObject({ code: 1009 })
})

test('a connection that ends while its token is checked stays ended', async () => {
  let decide = () => {}
  const verify = async (token: string) => {
    await new Promise<void>((resolve) => {
      decide = resolve
    })
    return plainAuthenticator.verify(token)
  }
  const { connect, settle, engine, gateway } = rig({ authenticator: { verify } })
  const client = connect()
  client.send(hello(), [3, 1, 'room'])
  client.socket.close()
  decide()
  await settle()
  expect(engine.requests).toEqual([])
  expect(gateway.counters.framesOut).toBe(0)
})
