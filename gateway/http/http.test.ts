import { mkdirSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { afterEach, expect, test } from 'vitest'
import { decode } from '../../protocol/codec.ts'
import { endAll, serve } from '../testing/server.ts'
import { clientAddress, credentialsOf } from './credentials.ts'
import { originPolicy } from './origin.ts'

afterEach(endAll)

const JSON_TYPE = { 'content-type': 'application/json' }
const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { ...JSON_TYPE, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const read = async (response: Response): Promise<Record<string, unknown>> => Object(JSON.parse(await response.text()))
const expectProblem = async (response: Response, status: number, code: string) => {
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(await read(response)).toMatchObject({
    type: 'about:blank',
    title: expect.stringMatching(/./),
    status,
    detail: expect.stringMatching(/./),
    code,
  })
}

test('POST /v1/guests → 201 with a token, the player, and the cookie', async () => {
  const { url } = await serve()
  const response = await post(`${url}/v1/guests`, { name: ' Ann ' })
  expect(response.status).toBe(201)
  const { token, player } = await read(response)
  expect(player).toEqual({ id: expect.any(String), name: 'Ann' })
  const cookie = response.headers.get('set-cookie') ?? ''
  expect(cookie).toContain(`madang=${token};`)
  for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Path=/']) expect(cookie).toContain(attribute)
  expect(cookie).not.toContain('Secure')
  expect(response.headers.get('cache-control')).toBe('no-store')
})

test('behind a trusted proxy that speaks TLS the cookie is Secure', async () => {
  const { url } = await serve({ trustProxy: 1 })
  const response = await post(`${url}/v1/guests`, { name: 'Ann' }, { 'x-forwarded-proto': 'https' })
  expect(response.headers.get('set-cookie')).toContain('Secure')
})

test('POST /v1/guests refuses bad names, bodies and types, and is 403 where guests are off', async () => {
  const { url } = await serve()
  await expectProblem(await post(`${url}/v1/guests`, { name: 'x'.repeat(41) }), 422, 'invalid_payload')
  await expectProblem(await post(`${url}/v1/guests`, {}), 422, 'invalid_payload')
  await expectProblem(await post(`${url}/v1/guests`, '{'), 400, 'bad_frame')
  await expectProblem(await post(`${url}/v1/guests`, '[]'), 400, 'bad_frame')
  await expectProblem(await post(`${url}/v1/guests`, 'name=Ann', { 'content-type': 'text/plain' }), 415, 'bad_frame')
  const closed = await serve({ keys: { by: 'secret', secret: 'x'.repeat(32) } })
  await expectProblem(await post(`${closed.url}/v1/guests`, { name: 'Ann' }), 403, 'forbidden')
})

test('a body above 64 KiB: 413, also where it comes in pieces without a length', async () => {
  const { url } = await serve()
  await expectProblem(await post(`${url}/v1/guests`, { name: 'x'.repeat(70_000) }), 413, 'bad_frame')
  const status = await new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/v1/guests`, { method: 'POST', headers: JSON_TYPE }, (response) =>
      resolve(response.statusCode),
    )
    request.on('error', reject)
    for (let i = 0; i < 10; i++) request.write('x'.repeat(10_000))
    request.end()
  })
  expect(status).toBe(413)
})

test('P5 one address gets 20 times the rate of one player, then 429 with Retry-After', async () => {
  const { url } = await serve({ limits: { frame: 16_384, rate: 1 } })
  // All at once: the rate fills up again by 20 a second.
  const posts = await Promise.all(Array.from({ length: 80 }, () => post(`${url}/v1/guests`, { name: 'Ann' })))
  const statuses = posts.map(({ status }) => status)
  expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(40)
  expect(statuses).toContain(429)
  const refused = await fetch(`${url}/v1/games`, { method: 'HEAD' })
  if (refused.status === 429) expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

const game = {
  id: 'tictactoe',
  version: 1,
  title: 'Tic',
  players: [2, 2] as const,
  autoStart: true,
  options: {},
  moves: {},
}
const listing = { room: 'room', game: 'tictactoe', phase: 'open' as const, players: 1, seats: 2 }

test('GET of games, rooms and one room are what an engine says', async () => {
  const { url, engine } = await serve()
  engine.onRequest = (request) => {
    if (request.kind !== 'ask') return
    const { id, about } = request
    if (about.type === 'games') engine.say({ kind: 'told', id, value: { games: [game] } })
    else if (about.type === 'rooms')
      engine.say({ kind: 'told', id, value: { rooms: about.game === 'mafia' ? [] : [listing] } })
    else if (about.type === 'room')
      engine.say({ kind: 'told', id, value: { room: about.room === 'room' ? listing : null } })
  }
  expect(await read(await fetch(`${url}/v1/games`))).toEqual({ games: [game] })
  expect(await read(await fetch(`${url}/v1/rooms`))).toEqual({ rooms: [listing] })
  expect(await read(await fetch(`${url}/v1/rooms?game=mafia`))).toEqual({ rooms: [] })
  expect(await read(await fetch(`${url}/v1/rooms/room`))).toEqual(listing)
  await expectProblem(await fetch(`${url}/v1/rooms/none`), 404, 'not_found')
  engine.onRequest = (request) => {
    if (request.kind !== 'ask') return
    const refused = { code: 'unavailable' as const, message: 'This room is frozen.' }
    engine.say({ kind: 'told', id: request.id, value: { refused } })
  }
  await expectProblem(await fetch(`${url}/v1/rooms/frozen`), 503, 'unavailable')
  await expectProblem(await fetch(`${url}/v1/rooms/no%20room`), 404, 'not_found')
  await expectProblem(await fetch(`${url}/v1/rooms/a%2Fb`), 404, 'not_found')
})

test('POST /v1/rooms creates a room as the bearer; the same Idempotency-Key finds the same room', async () => {
  const { url, engine, guest } = await serve()
  const { token, player } = await guest('Ann')
  const create = (key: string | null, by = token) =>
    post(
      `${url}/v1/rooms`,
      { game: 'mafia', options: { night: 5 }, public: true },
      { authorization: `Bearer ${by}`, ...(key === null ? {} : { 'idempotency-key': key }) },
    )
  const response = await create('key-1')
  expect(response.status).toBe(201)
  const { room } = await read(response)
  expect(response.headers.get('location')).toBe(`/v1/rooms/${room}`)
  expect(engine.commands).toMatchObject([
    { room, conn: null, player, session: expect.stringMatching(/^[A-Za-z0-9_-]{16,64}$/) },
  ])
  expect(engine.commands[0]?.frames.map((bytes) => decode(bytes))).toEqual([
    [2, 1, 'mafia', { night: 5 }, { public: true }],
  ])
  const other = await guest('Bob')
  const rooms = [
    await create('key-1'),
    await create('key-2'),
    await create(null),
    await create(null),
    await create('key-1', other.token),
  ]
  const ids = await Promise.all(rooms.map(async (reply) => (await read(reply)).room))
  expect(ids[0]).toBe(room)
  expect(new Set([room, ...ids]).size).toBe(5)
})

test('POST /v1/rooms: no token 401, a bad one 401, a bad body 400, what the room refuses as a problem', async () => {
  const { url, engine, guest } = await serve()
  const { token } = await guest('Ann')
  const rooms = `${url}/v1/rooms`
  const bearer = { authorization: `Bearer ${token}` }
  const anonymous = await post(rooms, { game: 'mafia' })
  expect(anonymous.headers.get('www-authenticate')).toBe('Bearer')
  await expectProblem(anonymous, 401, 'unauthorized')
  await expectProblem(await post(rooms, { game: 'mafia' }, { authorization: 'Bearer nonsense' }), 401, 'unauthorized')
  for (const body of [{}, { game: 5 }, { game: '' }, { game: 'mafia', public: 'yes' }])
    await expectProblem(await post(rooms, body, bearer), 400, 'bad_frame')
  await expectProblem(
    await post(rooms, `{"game": "mafia", "options": ${'['.repeat(40)}${']'.repeat(40)}}`, bearer),
    400,
    'bad_frame',
  )
  await expectProblem(
    await post(rooms, { game: 'mafia', options: { a: 'x'.repeat(17_000) } }, bearer),
    413,
    'bad_frame',
  )
  await expectProblem(
    await post(rooms, { game: 'mafia' }, { ...bearer, 'idempotency-key': 'two words' }),
    400,
    'bad_frame',
  )
  engine.onRequest = (request) => {
    if (request.kind === 'command') engine.say(engine.answer(request, [[34, 1, 'not_found', 'no such game']]))
  }
  await expectProblem(await post(rooms, { game: 'chess' }, bearer), 404, 'not_found')
})

test('P5 POST /v1/rooms counts in the player’s rate', async () => {
  const { url, guest } = await serve({ limits: { frame: 16_384, rate: 2 } })
  const { token } = await guest('Ann')
  const replies = []
  for (let i = 0; i < 8; i++)
    replies.push(await post(`${url}/v1/rooms`, { game: 'mafia' }, { authorization: `Bearer ${token}` }))
  const refused = replies.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThan(0)
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('with the cookie a POST needs an allowed Origin: without one, or with another, 403', async () => {
  const { url, guest } = await serve()
  const { cookie } = await guest('Ann')
  const headers = { cookie: cookie.split(';')[0] ?? '' }
  const rooms = `${url}/v1/rooms`
  await expectProblem(await post(rooms, { game: 'mafia' }, headers), 403, 'forbidden')
  await expectProblem(
    await post(rooms, { game: 'mafia' }, { ...headers, origin: 'http://evil.example' }),
    403,
    'forbidden',
  )
  await expectProblem(await post(rooms, { game: 'mafia' }, { ...headers, origin: 'null' }), 403, 'forbidden')
  expect((await post(rooms, { game: 'mafia' }, { ...headers, origin: url })).status).toBe(201)
})

test('CORS answers the allow-list and nobody else', async () => {
  const { url } = await serve({ origins: ['https://play.example'] })
  const preflight = (origin: string) =>
    fetch(`${url}/v1/rooms`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
  const allowed = await preflight('https://play.example')
  expect(allowed.status).toBe(204)
  expect(Object.fromEntries(allowed.headers)).toMatchObject({
    'access-control-allow-origin': 'https://play.example',
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, POST, HEAD, OPTIONS',
    'access-control-allow-headers': expect.stringContaining('Idempotency-Key'),
    vary: 'Origin',
  })
  const other = await preflight('https://evil.example')
  expect(other.headers.has('access-control-allow-origin')).toBe(false)
  await expectProblem(other, 403, 'forbidden')
  await expectProblem(await post(`${url}/v1/guests`, { name: 'Ann' }, { origin: url }), 403, 'forbidden')
  const simple = await post(`${url}/v1/guests`, { name: 'Ann' }, { origin: 'https://play.example' })
  expect(simple.headers.get('access-control-allow-origin')).toBe('https://play.example')
})

test('same host means the same host and port, whatever its letters', () => {
  const same = originPolicy(null)
  expect(same('http://localhost:3000', 'localhost:3000')).toBe(true)
  expect(same('https://Play.example', 'play.example')).toBe(true)
  expect(same('https://play.example', 'play.example:443')).toBe(true)
  expect(same('http://localhost:3001', 'localhost:3000')).toBe(false)
  expect(same('http://play.example.evil', 'play.example')).toBe(false)
  for (const origin of ['null', '', 'play.example', 'file://']) expect(same(origin, 'play.example')).toBe(false)
  expect(same('http://localhost', undefined)).toBe(false)
  const list = originPolicy(['https://play.example/', 'http://localhost:5173'])
  expect(list('https://play.example', undefined)).toBe(true)
  expect(list('http://play.example', 'play.example')).toBe(false)
})

test('health and readiness; not ready, or draining, is 503', async () => {
  let isReady = false
  const { url, server } = await serve({ isReady: () => isReady })
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  await expectProblem(await fetch(`${url}/readyz`), 503, 'unavailable')
  isReady = true
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  await server.drain()
  await expectProblem(await fetch(`${url}/readyz`), 503, 'unavailable')
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

test('what there is not: 404; another method: 405 with Allow; OPTIONS and HEAD are answered', async () => {
  const { url } = await serve()
  await expectProblem(await fetch(`${url}/v1/nothing`), 404, 'not_found')
  await expectProblem(await fetch(`${url}/nothing.html`), 404, 'not_found')
  const wrong = await fetch(`${url}/v1/guests`)
  expect(wrong.headers.get('allow')).toBe('POST, OPTIONS')
  await expectProblem(wrong, 405, 'bad_frame')
  await expectProblem(await fetch(`${url}/healthz`, { method: 'DELETE' }), 405, 'bad_frame')
  await expectProblem(await fetch(`${url}/v1/ws`), 426, 'bad_frame')
  await expectProblem(await fetch(`${url}/%ff`), 400, 'bad_frame')
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' })
  expect([head.status, await head.text(), head.headers.get('content-length')]).toEqual([200, '', '15'])
  const options = await fetch(`${url}/healthz`, { method: 'OPTIONS' })
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
})

test('an engine that does not answer: 503 within 5 s', async () => {
  const { url } = await serve()
  await expectProblem(await fetch(`${url}/v1/games`), 503, 'unavailable')
})

test('a client that goes away before its answer harms nobody', async () => {
  const { url, engine } = await serve()
  const gone = new AbortController()
  const left = fetch(`${url}/v1/games`, { signal: gone.signal }).catch((error: Error) => error.name)
  await new Promise<void>((resolve) => {
    engine.onRequest = (request) => {
      if (request.kind !== 'ask') return
      resolve()
    }
  })
  gone.abort()
  expect(await left).toBe('AbortError')
  const asked = engine.requests[0]
  if (asked) engine.say({ kind: 'told', id: asked.id, value: { games: [] } })
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

test('every answer carries the security headers', async () => {
  const { url } = await serve()
  for (const path of ['/', '/healthz', '/nothing', '/v1/nothing', '/%ff']) {
    const { headers } = await fetch(url + path)
    expect(headers.get('content-security-policy')).toMatch(
      /default-src 'self'.*connect-src 'self' ws: wss:.*frame-ancestors 'none'/,
    )
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  }
})

test('files over the wire: whole where the client reads slowly, never outside their folder, 304 where held', async () => {
  const { url, folder, server } = await serve()
  await server.close()
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), 'the page')
  const big = Buffer.alloc(8_000_000, 'madang')
  writeFileSync(join(folder, 'assets', 'big.bin'), big)
  const served = await serve({ files: folder })
  const response = await fetch(`${served.url}/assets/big.bin`)
  expect(Buffer.from(await response.arrayBuffer()).equals(big)).toBe(true)
  const page = await fetch(`${served.url}/play/room`)
  expect([page.status, await page.text()]).toEqual([200, 'the page'])
  const held = await fetch(`${served.url}/`, { headers: { 'if-none-match': page.headers.get('etag') ?? '' } })
  expect([held.status, await held.text()]).toEqual([304, ''])
  const raw = (path: string) =>
    new Promise((resolve, reject) => {
      httpRequest(`${served.url}`, { path }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
    })
  for (const path of [
    '/../package.json',
    '/assets/../../x',
    '/%2e%2e/x',
    '/assets/%2e%2e%2f%2e%2e%2fetc/passwd',
    '/..%5cx',
    '/%00',
  ])
    expect(await raw(path)).toBe(404)
  expect(url).not.toBe(served.url)
})

test('credentials: Bearer goes before the cookie; nothing else is taken for a token', () => {
  expect(credentialsOf('Bearer abc', 'madang=def')).toEqual({ token: 'abc', from: 'bearer' })
  expect(credentialsOf(undefined, 'a=b; madang=def; c')).toEqual({ token: 'def', from: 'cookie' })
  for (const [authorization, cookies] of [
    ['Basic abc', ''],
    ['Bearer', 'xmadang=def'],
    ['Bearer a b', 'madang='],
    [undefined, undefined],
    [`Bearer ${'x'.repeat(9_000)}`, undefined],
  ])
    expect(credentialsOf(authorization, cookies)).toBeNull()
})

test('the client’s address is taken from as many proxies as are trusted, and no more', () => {
  expect(clientAddress('10.0.0.1', '1.1.1.1, 2.2.2.2', 0)).toBe('10.0.0.1')
  expect(clientAddress('10.0.0.1', '1.1.1.1, 2.2.2.2', 1)).toBe('2.2.2.2')
  expect(clientAddress('10.0.0.1', '1.1.1.1, 2.2.2.2', 2)).toBe('1.1.1.1')
  expect(clientAddress('10.0.0.1', '1.1.1.1', 3)).toBe('1.1.1.1')
  expect(clientAddress('10.0.0.1', undefined, 1)).toBe('10.0.0.1')
  expect(clientAddress('10.0.0.1', ' , ', 1)).toBe('10.0.0.1')
})

test('tokens of another issuer pass as Bearer where their key is known', async () => {
  const secret = 'y'.repeat(32)
  const { url } = await serve({ keys: { by: 'secret', secret } })
  const token = await new SignJWT({ name: 'Ann' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ann')
    .sign(Buffer.from(secret))
  expect((await post(`${url}/v1/rooms`, { game: 'mafia' }, { authorization: `Bearer ${token}` })).status).toBe(201)
})
