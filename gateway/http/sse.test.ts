import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { encode } from '../../protocol/codec.ts'
import { endAll } from '../testing/server.ts'
import { bodyOf, expectProblem, SESSION, seat } from '../testing/transport.ts'

afterEach(endAll)

const BELL = { type: 'bell' }

test('frames are events as JSON, with the seq of a STATE or PATCH as id; the first line is a comment', async () => {
  const { stream, engine, conn } = await seat()
  const sse = await stream('sse?room=r')
  expect(sse.response.statusCode).toBe(200)
  expect(sse.response.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  })
  const to = [await conn(0)]
  const cast = [38, 'r', 'bob', 'stroke', new Uint8Array([1, 2])]
  engine.say(
    engine.output('r', 2, to, { document: [1, 2], emits: [[37, 'r', 2, { type: '두 줄\r\n' }]], ephemeral: [cast] }),
  )
  expect(await sse.got(4)).toEqual([
    { id: '1', frame: [35, 'r', 1, { game: 1 }] },
    { id: '2', frame: [36, 'r', 1, 2, [[['game'], 2]]] },
    { id: undefined, frame: [37, 'r', 2, { type: '두 줄\r\n' }] },
    { id: undefined, frame: [38, 'r', 'bob', 'stroke', { $bin: 'AQI=' }] },
  ])
  expect(sse.state.text).toMatch(/^:\n\nevent: frame\nid: 1\ndata: \[35,.*\]\n\n/)
})

test('what is no ASCII arrives as it is, also where all of it is Latin-1', async () => {
  const { stream, engine, conn } = await seat()
  const sse = await stream('sse?room=r')
  const to = [await conn(0)]
  const emits = ['Zoë', 'Zoë, 조이', '𝄞'].map((type, i) => [37, 'r', 2 + i, { type }])
  for (const emit of emits) engine.say(engine.output('r', Number(emit[2]), to, { emits: [emit] }))
  expect((await sse.got(4)).slice(1).map(({ frame }) => frame)).toEqual(emits)
})

test('Last-Event-ID resumes, and wins over since; what is no seq is 400', async () => {
  const { stream, engine, get } = await seat()
  const ends = []
  ends.push(await stream('sse?room=r&since=7'))
  ends.push(await stream('sse?room=r&since=7', { 'last-event-id': '9' }))
  ends.push(await stream('sse?room=r', { 'last-event-id': '0' }))
  expect(engine.reads.map(({ since, attach, session }) => [since, attach?.as, session])).toEqual([
    [7, 'stream', SESSION],
    [9, 'stream', SESSION],
    [0, 'stream', SESSION],
  ])
  for (const sse of ends) sse.leave()
  for (const id of ['x', '-1', '1.5', '99999999999999999'])
    await expectProblem(await get('sse?room=r', { 'last-event-id': id }), 400, 'bad_frame')
  for (const query of ['', 'room=', 'room=r&since=x', 'room=r&session=short'])
    await expectProblem(
      await get(`sse?${query}`, { 'madang-session': query.includes('session') ? 'short' : SESSION }),
      400,
      'bad_frame',
    )
})

test('403, 404 and 503 of the room, 401 and a foreign Origin come before the 200', async () => {
  const { get, engine, url, cookie, stream, headers } = await seat()
  for (const [status, code] of [
    [403, 'not_member'],
    [404, 'not_found'],
    [503, 'unavailable'],
  ] as const) {
    engine.onRequest = (request) => {
      if (request.kind === 'read') engine.say(engine.answer(request, [[34, null, code, 'JOIN first']], null))
    }
    await expectProblem(await get('sse?room=r'), status, code)
  }
  await expectProblem(await fetch(`${url}/v1/sse?room=r`), 401, 'unauthorized')
  await expectProblem(
    await fetch(`${url}/v1/sse?room=r`, { headers: { cookie, origin: 'https://evil.example' } }),
    403,
    'forbidden',
  )
  const head = await fetch(`${url}/v1/sse?room=r`, { method: 'HEAD', headers })
  expect([head.status, head.headers.get('allow')]).toEqual([405, 'GET, OPTIONS'])
  engine.onRequest = (request) => engine.obey(request)
  const own = await stream('sse?room=r', { authorization: '', cookie, origin: url })
  expect([own.response.statusCode, own.response.headers['access-control-allow-origin']]).toEqual([200, url])
})

test('a page of an allowed Origin may ask, with the headers that the transports need', async () => {
  const { url } = await seat({ origins: ['https://game.example'] })
  const ask = (origin: string, path: string) =>
    fetch(`${url}/v1/${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': path === 'send' ? 'POST' : 'GET',
        'access-control-request-headers': 'authorization, content-type, madang-session, last-event-id',
      },
    })
  for (const path of ['send', 'sse', 'poll', 'me']) {
    const { status, headers } = await ask('https://game.example', path)
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe('https://game.example')
    expect(headers.get('access-control-allow-credentials')).toBe('true')
    expect(headers.get('access-control-allow-methods')).toContain(path === 'send' ? 'POST' : 'GET')
    const allowed = (headers.get('access-control-allow-headers') ?? '').toLowerCase().split(', ')
    expect(allowed).toEqual(
      expect.arrayContaining(['authorization', 'content-type', 'madang-session', 'last-event-id']),
    )
    const foreign = await ask('https://evil.example', path)
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null])
  }
  const answer = await fetch(`${url}/v1/me`, { headers: { origin: 'https://game.example' } })
  expect(answer.headers.get('access-control-expose-headers')).toContain('Retry-After')
})

test('a newer connection of the session ends it: BYE, then nothing', async () => {
  const { stream, engine, conn, server } = await seat()
  const sse = await stream('sse?room=r')
  engine.say({ kind: 'close', room: 'r', conn: await conn(0), code: 4002, reason: 'taken over' })
  await sse.over()
  expect(sse.events().at(-1)).toEqual({ id: undefined, frame: [41, expect.any(String), { resume: false }] })
  expect(server.gateway.held()).toMatchObject({ connections: 0, rooms: 0 })
  expect(server.gateway.counters.http.sse.open).toBe(0)
})

test('who is put out of the room gets the NOTE, then the end', async () => {
  for (const reason of ['kicked', 'left']) {
    const { stream, engine, conn, server } = await seat()
    const sse = await stream('sse?room=r')
    engine.say({ kind: 'close', room: 'r', conn: await conn(0), code: null, reason })
    await sse.over()
    expect(sse.events().at(-1)).toEqual({ id: undefined, frame: [40, 'r', reason, null] })
    expect(server.gateway.held()).toMatchObject({ connections: 0, rooms: 0 })
  }
})

test('a drain says BYE with resume and retryAfter, then ends; a new one is refused with 503', async () => {
  const { stream, get, server } = await seat()
  const sse = await stream('sse?room=r')
  await server.drain()
  await sse.over()
  expect(sse.events().at(-1)?.frame).toEqual([41, 'restarting', { retryAfter: expect.any(Number), resume: true }])
  await expectProblem(await get('sse?room=r'), 503, 'unavailable')
})

test('a client that goes is detached, also before the room has answered', async () => {
  const { stream, engine, url, headers, server, conn } = await seat()
  const sse = await stream('sse?room=r')
  sse.leave()
  await expect.poll(() => engine.detaches.flatMap(({ conns }) => conns)).toEqual([await conn(0)])
  engine.onRequest = (request) => {
    if (request.kind === 'detach') engine.obey(request)
  }
  const aborting = new AbortController()
  const early = fetch(`${url}/v1/sse?room=r`, { headers, signal: aborting.signal }).catch(() => null)
  const gone = await conn(1)
  aborting.abort()
  await early
  await expect.poll(() => engine.detaches.flatMap(({ conns }) => conns)).toContain(gone)
  await expect.poll(() => server.gateway.held()).toMatchObject({ connections: 0, rooms: 0, requests: 0 })
  expect(server.gateway.counters.http.sse.open).toBe(0)
})

test('spectators on SSE and on WebSocket hear the same publication', async () => {
  const { stream, engine, guest, connect, url, conn } = await seat()
  engine.onRequest = (request) => {
    if (request.kind !== 'read') return engine.obey(request)
    engine.say(engine.answer(request, [[35, 'r', 1, { game: 1 }]], { role: 'spectator', seq: 1, heard: 1 }))
  }
  const bob = await guest('Bob')
  const socket = connect()
  await socket.opened()
  socket.send([1, { v: 1, token: bob.token }], [3, 1, 'r', { role: 'spectator' }])
  await socket.got(3)
  const streams = [await stream('sse?room=r', { 'madang-session': `${SESSION}-1` }), await stream('sse?room=r')]
  await conn(1)
  engine.say(engine.output('r', 2, 'spectators', { document: [1, 2], emits: [[37, 'r', 2, BELL]] }))
  const patch = [36, 'r', 1, 2, [[['game'], 2]]]
  for (const sse of streams) {
    expect((await sse.got(3)).slice(1)).toEqual([
      { id: '2', frame: patch },
      { id: undefined, frame: [37, 'r', 2, BELL] },
    ])
  }
  expect((await socket.got(5)).slice(3)).toEqual([patch, [37, 'r', 2, BELL]])
  expect(url).toMatch(/^http/)
})

/** A stream whose reader may stop, and what it costs. */
const pausable = async () => {
  const seated = await seat()
  const { server, token, engine, conn } = seated
  const socket = connect(server.port, '127.0.0.1')
  const got = { text: '' }
  socket.setEncoding('latin1').on('data', (text: string) => {
    got.text = `${got.text}${text}`.slice(-200_000)
  })
  socket.write(
    `GET /v1/sse?room=r&session=${SESSION} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  )
  await expect.poll(() => got.text).toContain('data: [35')
  const to = [await conn(0)]
  engine.onRequest = (request) => {
    if (request.kind !== 'attach') return engine.obey(request)
    for (const { conn, role } of request.members) {
      const state = [35, request.room, engine.seq, { game: engine.seq }]
      engine.say(engine.answer(request, [state], { role, seq: engine.seq, heard: engine.seq }, conn))
    }
  }
  const counts = server.gateway.counters.http.sse
  const ops = (seq: number) => [
    [['text'], 'x'.repeat(60_000)],
    [['seq'], seq],
  ]
  /** Sends big commits until nothing more is written, and some more. */
  const flood = async (seqs = 400) => {
    for (let i = 0; i < seqs; i++) {
      const from = engine.seq
      engine.seq++
      const frame = encode([36, 'r', from, engine.seq, ops(engine.seq)])
      const document = { from, seq: engine.seq, frame }
      engine.say({ kind: 'output', room: 'r', head: engine.seq, parts: [{ to, document, emits: [], ephemeral: [] }] })
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { ...seated, socket, got, counts, flood, to }
}

test('P5 a reader that stops costs a frame: nothing is written once it is blocked, and then one STATE', async () => {
  const { socket, got, counts, flood, engine } = await pausable()
  socket.pause()
  await flood()
  const written = counts.bytesOut
  // What the kernel keeps for a connection: a few MB of 24.
  expect(written).toBeLessThan(12_000_000)
  await flood(200)
  expect(counts.bytesOut).toBe(written)
  expect(engine.attaches).toEqual([])
  socket.resume()
  await expect.poll(() => engine.attaches.length, { timeout: 20_000 }).toBe(1)
  expect(engine.attaches[0]?.members).toMatchObject([{ since: 0, as: 'stream', role: 'player' }])
  await expect
    .poll(() => got.text, { timeout: 20_000 })
    .toContain(`data: [35,"r",${engine.seq},{"game":${engine.seq}}]`)
  // And goes on from there.
  await flood(1)
  await expect.poll(() => got.text).toContain(`id: ${engine.seq}\ndata: [36,"r",${engine.seq - 1},`)
  socket.destroy()
})

test('P5 a blocked reader is not waited for by a drain', async () => {
  const { socket, flood, server } = await pausable()
  socket.pause()
  await flood()
  await server.drain()
  expect(server.gateway.held()).toMatchObject({ connections: 0, rooms: 0 })
  socket.destroy()
})

test('bytes and requests are counted by transport', async () => {
  const { stream, get, post, server } = await seat()
  const sse = await stream('sse?room=r')
  const polled = await bodyOf(await get('poll?room=r&wait=0'))
  await post([[8, 1]])
  const { http } = server.gateway.counters
  expect(http.sse).toEqual({ open: 1, requests: 1, bytesIn: 0, bytesOut: sse.state.text.length })
  expect(http.poll).toEqual({ open: 0, requests: 1, bytesIn: 0, bytesOut: JSON.stringify(polled).length })
  expect(http.send).toMatchObject({ requests: 1, bytesIn: '[[8,1]]'.length })
})
