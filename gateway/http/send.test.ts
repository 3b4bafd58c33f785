import { afterEach, expect, test } from 'vitest'
import { splitFrames } from '../../protocol/batch.ts'
import { concat, decode, encode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { endAll } from '../testing/server.ts'
import { bodyOf, expectProblem, SESSION, seat } from '../testing/transport.ts'

afterEach(endAll)

const MSGPACK = { 'content-type': 'application/vnd.msgpack' }

test('the OK, ERR and PONG of many frames come in their order; those of one room in a row are one Command without a connection', async () => {
  const { post, engine } = await seat()
  const response = await post([
    [5, 1, 'r', 'mark', { cell: 1 }],
    [5, 2, 'r', 'mark'],
    [8, 7],
    [5, 3, 'r', 'mark'],
    [3, 4, 'q'],
    [99, 5],
    [6, 'r', 'stroke', { $bin: 'AQI=' }],
  ])
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(await bodyOf(response)).toEqual([
    [33, 1, 'mark'],
    [33, 2, 'mark'],
    [39, 7, expect.any(Number)],
    [33, 3, 'mark'],
    [33, 4, { room: 'q', role: 'player', seq: 1 }],
    [34, 5, 'bad_frame', expect.any(String)],
  ])
  expect(engine.commands.map(({ room, conn, session, frames }) => [room, conn, session, frames.length])).toEqual([
    ['r', null, SESSION, 2],
    ['r', null, SESSION, 1],
    ['q', null, SESSION, 1],
    ['r', null, SESSION, 1],
  ])
  expect(decode(engine.commands[3]?.frames[0] ?? new Uint8Array())).toEqual([6, 'r', 'stroke', new Uint8Array([1, 2])])
})

test('a frame is sent on once those before it are answered, also where they are of another room', async () => {
  const { post, engine } = await seat()
  const answers: (() => void)[] = []
  engine.onRequest = (request) => void answers.push(() => engine.obey(request))
  const response = post([
    [5, 1, 'r', 'a'],
    [5, 2, 'q', 'b'],
  ])
  await expect.poll(() => answers.length).toBe(1)
  expect(engine.commands.map(({ room }) => room)).toEqual(['r'])
  answers[0]?.()
  await expect.poll(() => answers.length).toBe(2)
  answers[1]?.()
  expect(await bodyOf(await response)).toEqual([
    [33, 1, 'a'],
    [33, 2, 'b'],
  ])
})

test('P2 a part of the answer that is lost comes with the resend: each frame has its answer, in order', async () => {
  const { post, engine } = await seat()
  engine.onRequest = (request) => {
    if (request.kind !== 'command') return engine.obey(request)
    // The first time, the part with the JOIN's OK does not arrive.
    if (engine.commands.length > 1) return engine.obey(request)
    engine.say(engine.answer(request, [[33, 2, 'mark']]))
  }
  const response = await post([
    [3, 1, 'r'],
    [5, 2, 'r', 'mark'],
  ])
  expect(await bodyOf(response)).toEqual([
    [33, 1, { room: 'r', role: 'player', seq: 1 }],
    [33, 2, 'mark'],
  ])
  expect(new Set(engine.commands.map(({ id }) => id)).size).toBe(1)
})

test('msgpack frames stand back to back, and Accept chooses the form of the answer', async () => {
  const { post } = await seat()
  const body = concat(encode([5, 1, 'r', 'mark']), encode([8, 7]))
  const packed = await post(body, MSGPACK)
  expect(packed.headers.get('content-type')).toBe('application/vnd.msgpack')
  const frames = splitFrames(new Uint8Array(await packed.arrayBuffer())).map((bytes) => decode(bytes))
  expect(frames).toEqual([
    [33, 1, 'mark'],
    [39, 7, expect.any(Number)],
  ])
  const json = await post(body, {
    ...MSGPACK,
    accept: 'text/html, application/json;q=0.9, application/vnd.msgpack;q=0.5',
  })
  expect(json.headers.get('content-type')).toBe('application/json')
  expect(await bodyOf(json)).toHaveLength(2)
  const other = await post([[8, 7]], { accept: 'application/vnd.msgpack' })
  expect(other.headers.get('content-type')).toBe('application/vnd.msgpack')
  const unknown = await post([[8, 7]], { accept: 'image/png, application/vnd.msgpack;q=0' })
  expect(unknown.headers.get('content-type')).toBe('application/json')
})

test('200 where all are ERR; 400, 413, 415 where the body is no frames, and then none of them takes effect', async () => {
  const { post, engine } = await seat()
  const refused = await post([[5], [1, { v: 1 }], [8, 'x']])
  expect(refused.status).toBe(200)
  expect(await bodyOf(refused)).toEqual([
    [34, null, 'bad_frame', expect.any(String)],
    [34, null, 'bad_frame', expect.stringContaining('/v1/me')],
    [34, null, 'bad_frame', expect.any(String)],
  ])
  const bad = [
    '',
    '{',
    '{}',
    '[]',
    '[[]]',
    '[["x"]]',
    '[[5,1,"r","mark"],7]',
    '[[5,1,"r","mark"],[5,2,"r","x",{"$x":1}]]',
  ]
  for (const body of bad) await expectProblem(await post(body), 400, 'bad_frame')
  const deep = `${'['.repeat(40)}${']'.repeat(40)}`
  await expectProblem(await post(`[[5,1,"r","mark"],[5,2,"r","x",${deep}]]`), 400, 'bad_frame')
  await expectProblem(
    await post([
      [5, 1, 'r', 'mark'],
      [5, 2, 'r', 'x', 'y'.repeat(17_000)],
    ]),
    400,
    'bad_frame',
  )
  await expectProblem(await post(Uint8Array.of(0x22, 0xff, 0x22)), 400, 'bad_frame')
  const cut = concat(encode([5, 1, 'r', 'mark']), encode([5, 2, 'r', 'mark']).slice(0, -1))
  await expectProblem(await post(cut, MSGPACK), 400, 'bad_frame')
  await expectProblem(await post(encode({ not: 'an array' }), MSGPACK), 400, 'bad_frame')
  await expectProblem(await post(`[[8,7]]${' '.repeat(70_000)}`), 413, 'bad_frame')
  const wrongType = await post('[[8,7]]', { 'content-type': 'text/plain' })
  expect(wrongType.headers.get('accept')).toContain('application/vnd.msgpack')
  await expectProblem(wrongType, 415, 'bad_frame')
  expect(engine.commands).toEqual([])
})

test('a ref needs a session, from the header or the query; without refs none is needed', async () => {
  const { url, token, engine } = await seat()
  const send = (query: string, headers: Record<string, string>, frames: unknown[]) =>
    fetch(`${url}/v1/send${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(frames),
    })
  const move = [5, 1, 'r', 'mark']
  await expectProblem(await send('', {}, [[8, 7], move]), 400, 'bad_frame')
  await expectProblem(await send('', { 'madang-session': 'short' }, [move]), 400, 'bad_frame')
  await expectProblem(await send('?session=short', {}, [[8, 7]]), 400, 'bad_frame')
  expect(
    (
      await send('', {}, [
        [8, 7],
        [6, 'r', 'stroke'],
      ])
    ).status,
  ).toBe(200)
  expect((await send(`?session=${SESSION}-query`, {}, [move])).status).toBe(200)
  expect((await send(`?session=${SESSION}-query`, { 'madang-session': SESSION }, [move])).status).toBe(200)
  expect(engine.commands.slice(1).map(({ session }) => session)).toEqual([`${SESSION}-query`, SESSION])
})

test('a token is needed, and with the cookie an Origin that is allowed', async () => {
  const { url, cookie, post, engine } = await seat()
  const send = (headers: Record<string, string>) =>
    fetch(`${url}/v1/send`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'madang-session': SESSION, ...headers },
      body: '[[5,1,"r","mark"]]',
    })
  const nobody = await send({})
  expect(nobody.headers.get('www-authenticate')).toBe('Bearer')
  await expectProblem(nobody, 401, 'unauthorized')
  await expectProblem(await send({ authorization: 'Bearer no.such.token' }), 401, 'unauthorized')
  await expectProblem(await send({ cookie }), 403, 'forbidden')
  await expectProblem(await send({ cookie, origin: 'https://evil.example' }), 403, 'forbidden')
  await expectProblem(await post([[8, 1]], { origin: 'https://evil.example' }), 403, 'forbidden')
  expect(engine.commands).toEqual([])
  const allowed = await send({ cookie, origin: url })
  expect(allowed.status).toBe(200)
  expect(allowed.headers.get('access-control-allow-origin')).toBe(url)
})

test('P5 frames draw from the rate of their player: what is above it gets rate_limited, and CASTs have a rate of their own', async () => {
  const { post, engine, server } = await seat({ limits: { frame: 16_384, rate: 2 } })
  const frames = Array.from({ length: 6 }, (_, i) => [5, i + 1, 'r', 'mark'])
  const answers = await bodyOf(await post(frames))
  expect(answers).toEqual([
    ...[1, 2, 3, 4].map((ref) => [33, ref, 'mark']),
    ...[5, 6].map((ref) => [34, ref, 'rate_limited', expect.any(String), { retryAfter: expect.any(Number) }]),
  ])
  const casts = await post(Array.from({ length: 50 }, () => [6, 'r', 'stroke', 1]))
  expect(await bodyOf(casts)).toEqual([])
  expect(engine.commands.flatMap(({ frames }) => frames).length).toBe(4 + 40)
  expect(server.gateway.counters.dropsEphemeral).toBe(10)
})

test('P5 a player has at most 16 of them answered at once: then 429 with Retry-After', async () => {
  const { post, engine } = await seat({ limits: { frame: 16_384, rate: 1000 } })
  const waiting: (() => void)[] = []
  engine.onRequest = (request) => void waiting.push(() => engine.obey(request))
  const posts = Array.from({ length: 16 }, (_, i) => post([[5, i + 1, 'r', 'mark']]))
  await expect.poll(() => waiting.length).toBe(16)
  const more = await post([[8, 1]])
  expect(Number(more.headers.get('retry-after'))).toBeGreaterThan(0)
  await expectProblem(more, 429, 'rate_limited')
  for (const answer of waiting) answer()
  for (const each of posts) expect((await each).status).toBe(200)
  expect((await post([[8, 1]])).status).toBe(200)
})

test('MATCH goes where its game is matched, CREATE where its room will be', async () => {
  const { post, engine } = await seat()
  await post([
    [9, 1, 'tictactoe'],
    [9, 2, 'mafia'],
    [2, 3, 'tictactoe'],
  ])
  expect(engine.commands.map(({ room, frames }) => [room === '', frames.length])).toEqual([
    [true, 1],
    [true, 1],
    [false, 1],
  ])
})

test('while the server drains: 503 with Retry-After', async () => {
  const { post, server } = await seat()
  await server.drain()
  const response = await post([[8, 1]])
  expect(response.headers.get('retry-after')).toBe('1')
  await expectProblem(response, 503, 'unavailable')
})

test('GET /v1/me says what WELCOME says', async () => {
  const { get, player, url } = await seat()
  expect(await bodyOf(await get('me'))).toEqual({
    v: 1,
    player,
    now: expect.any(Number),
    limits: { frame: 16_384, rate: 50 },
  })
  await expectProblem(await fetch(`${url}/v1/me`), 401, 'unauthorized')
})

test('a JOIN over HTTP is answered without the document, which comes by the way down', async () => {
  const { post } = await seat()
  const answers = await bodyOf(await post([[OP.join, 1, 'r']]))
  expect(answers).toEqual([[33, 1, { room: 'r', role: 'player', seq: 1 }]])
})
