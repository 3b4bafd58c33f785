import { afterEach, expect, test } from 'vitest'
import { splitFrames } from '../../protocol/batch.ts'
import { decode } from '../../protocol/codec.ts'
import { endAll } from '../testing/server.ts'
import { bodyOf, expectProblem, SESSION, seat } from '../testing/transport.ts'

afterEach(endAll)

const BELL = { type: 'bell' }
const stroke = (n: number) => [38, 'r', 'bob', 'stroke', n]

test('a poll without since, or with 0, gets the STATE; with wait=0 one that missed nothing gets 204', async () => {
  const { get, engine } = await seat()
  const first = await get('poll?room=r&wait=0')
  expect(first.status).toBe(200)
  expect(first.headers.get('content-type')).toBe('application/json')
  expect(first.headers.get('cache-control')).toBe('no-store')
  expect(await bodyOf(first)).toEqual([[35, 'r', 1, { game: 1 }]])
  expect(await bodyOf(await get('poll?room=r&since=0'))).toEqual([[35, 'r', 1, { game: 1 }]])
  const packed = await get('poll?room=r&wait=0', { accept: 'application/vnd.msgpack' })
  expect(packed.headers.get('content-type')).toBe('application/vnd.msgpack')
  const frames = splitFrames(new Uint8Array(await packed.arrayBuffer())).map((bytes) => decode(bytes))
  expect(frames).toEqual([[35, 'r', 1, { game: 1 }]])
  const none = await get('poll?room=r&since=1&wait=0')
  expect(none.status).toBe(204)
  expect(none.headers.get('cache-control')).toBe('no-store')
  expect(
    engine.reads.map(({ session, since, attach, presenceMs }) => [session, since, attach?.as, presenceMs]),
  ).toEqual([
    [SESSION, 0, undefined, 10_000],
    [SESSION, 0, 'held', 35_000],
    [SESSION, 0, undefined, 10_000],
    [SESSION, 1, undefined, 10_000],
  ])
})

test('a held poll ends with the first commit that shows something: one PATCH from its since, whose seq covers the EMITs', async () => {
  const { get, engine, conn, server } = await seat()
  // The member's document has not changed since 1; the poll's own seq is of later.
  engine.onRequest = (request) => {
    if (request.kind !== 'read') return engine.obey(request)
    engine.say(engine.answer(request, [], { role: 'player', seq: 1, heard: 4 }))
  }
  const held = get('poll?room=r&since=4&wait=20')
  const to = [await conn(0)]
  engine.say(
    engine.output('r', 6, to, { document: [1, 5], emits: [[37, 'r', 6, BELL]], ephemeral: [stroke(1)] }),
    engine.output('r', 7, to, { document: [5, 7], emits: [[37, 'r', 7, BELL]] }),
  )
  expect(await bodyOf(await held)).toEqual([[36, 'r', 4, 6, [[['game'], 5]]], [37, 'r', 6, BELL], stroke(1)])
  await expect.poll(() => engine.detaches.map(({ conns }) => conns)).toEqual([to])
  expect(server.gateway.held()).toMatchObject({ connections: 0, rooms: 0, requests: 0 })
})

test('an EMIT alone travels with an empty PATCH', async () => {
  const { get, engine, conn } = await seat()
  const held = get('poll?room=r&since=1&wait=20')
  engine.say(engine.output('r', 7, [await conn(0)], { emits: [[37, 'r', 7, BELL]] }))
  expect(await bodyOf(await held)).toEqual([
    [36, 'r', 1, 7, []],
    [37, 'r', 7, BELL],
  ])
})

test('CASTs and NOTEs alone are gathered for a moment, and travel with an empty PATCH that moves nothing', async () => {
  const { get, engine, conn } = await seat()
  const held = get('poll?room=r&since=1&wait=20')
  const to = [await conn(0)]
  engine.say(engine.output('r', 1, to, { ephemeral: [stroke(1)] }))
  engine.say(engine.output('r', 1, to, { ephemeral: [stroke(2)] }))
  expect(await bodyOf(await held)).toEqual([[36, 'r', 1, 1, []], stroke(1), stroke(2)])
})

test('how many watch ends no poll, and comes along with what does', async () => {
  const { get, engine, conn } = await seat()
  const count = (n: number) => [40, 'r', 'spectators', n]
  const held = get('poll?room=r&since=1&wait=20')
  const to = [await conn(0)]
  engine.say(engine.output('r', 1, to, { ephemeral: [count(7)] }))
  expect(await Promise.race([held.then(() => 'ended'), (await get('poll?room=r&since=1&wait=0.3')).status])).toBe(204)
  engine.say(engine.output('r', 1, to, { ephemeral: [stroke(1)] }))
  expect(await bodyOf(await held)).toEqual([[36, 'r', 1, 1, []], count(7), stroke(1)])
})

test('what a Read says at once ends a poll whatever its wait, with its from and seq as they are', async () => {
  const { get, engine } = await seat()
  engine.onRequest = (request) => {
    if (request.kind !== 'read') return engine.obey(request)
    const frames = [[36, 'r', 1, 5, [[['game'], 5]]], [37, 'r', 4, BELL], [37, 'r', 5, BELL], stroke(1)]
    engine.say(engine.answer(request, frames, null))
  }
  const said = [[36, 'r', 1, 5, [[['game'], 5]]], [37, 'r', 4, BELL], [37, 'r', 5, BELL], stroke(1)]
  for (const wait of [0, 20]) expect(await bodyOf(await get(`poll?room=r&since=1&wait=${wait}`))).toEqual(said)
})

test('a note that a Read is answered with moves nothing', async () => {
  const { get, engine } = await seat()
  engine.onRequest = (request) => {
    if (request.kind !== 'read') return engine.obey(request)
    engine.say(engine.answer(request, [[40, 'r', 'left', null]], null))
  }
  for (const wait of [0, 20])
    expect(await bodyOf(await get(`poll?room=r&since=15&wait=${wait}`))).toEqual([
      [36, 'r', 15, 15, []],
      [40, 'r', 'left', null],
    ])
})

test('a poll whose member leaves before the room has answered it moves nothing', async () => {
  const { get, engine, conn } = await seat()
  engine.onRequest = () => {}
  const held = get('poll?room=r&since=9&wait=20')
  engine.say({ kind: 'close', room: 'r', conn: await conn(0), code: null, reason: 'left' })
  expect(await bodyOf(await held)).toEqual([
    [36, 'r', 9, 9, []],
    [40, 'r', 'left', null],
  ])
})

test('a poll whose first answer was lost, with all that it brought, ends at once', async () => {
  const { get, engine } = await seat()
  engine.onRequest = (request) => {
    if (request.kind === 'read') engine.say(engine.answer(request, [], null))
  }
  const began = performance.now()
  expect((await get('poll?room=r&since=1&wait=20')).status).toBe(204)
  expect(performance.now() - began).toBeLessThan(10_000)
})

test('at the end of its wait a poll gets 204', async () => {
  const { get, engine, conn } = await seat()
  const held = get('poll?room=r&since=1&wait=0.2')
  const to = [await conn(0)]
  expect((await held).status).toBe(204)
  await expect.poll(() => engine.detaches.map(({ conns }) => conns)).toEqual([to])
})

test('a poll that misses part of the stream goes on from where it stands, and is not answered with less than its since', async () => {
  const { get, engine, conn } = await seat()
  engine.seq = 4
  const held = get('poll?room=r&since=4&wait=20')
  const to = [await conn(0)]
  engine.onRequest = (request) => {
    if (request.kind !== 'attach') return engine.obey(request)
    const frames = [[35, 'r', 3, { game: 3 }]]
    engine.say(engine.answer(request, frames, { role: 'player', seq: 3, heard: 4 }, to[0]))
  }
  // It stands at 4, and this begins at 3.
  engine.say(engine.output('r', 5, to, { document: [3, 5] }))
  expect(await bodyOf(await held)).toEqual([[35, 'r', 4, { game: 3 }]])
  expect(engine.attaches.flatMap(({ members }) => members)).toMatchObject([{ conn: to[0], since: 4, as: 'held' }])
})

test('a spectator who polls hears what goes to all spectators', async () => {
  const { get, engine, conn } = await seat()
  engine.onRequest = (request) => {
    if (request.kind !== 'read') return engine.obey(request)
    engine.say(engine.answer(request, [], { role: 'spectator', seq: 1, heard: 1 }))
  }
  const polls = [get('poll?room=r&since=1&wait=20'), get('poll?room=r&since=1&wait=20')]
  await conn(1)
  engine.say(engine.output('r', 2, 'spectators', { document: [1, 2], ephemeral: [stroke(1)] }))
  for (const poll of polls) expect(await bodyOf(await poll)).toEqual([[36, 'r', 1, 2, [[['game'], 2]]], stroke(1)])
})

test('400, 401, 403, 404, 405 and 503 say what is wrong; HEAD would take what is kept for the next GET', async () => {
  const { get, engine, url, cookie, headers } = await seat()
  const bad = ['', 'room=', 'room=a%20b', `room=${'r'.repeat(65)}`]
  bad.push(...['-1', '1.5', 'x', '', '99999999999999999'].map((since) => `room=r&since=${since}`))
  bad.push(...['-1', '31', 'x', '', '30.1', '1e1'].map((wait) => `room=r&wait=${wait}`))
  for (const query of bad) await expectProblem(await get(`poll?${query}`), 400, 'bad_frame')
  await expectProblem(await get('poll?room=r', { 'madang-session': 'short' }), 400, 'bad_frame')
  await expectProblem(await fetch(`${url}/v1/poll?room=r`), 401, 'unauthorized')
  expect(engine.reads).toEqual([])
  const head = await fetch(`${url}/v1/poll?room=r&wait=0`, { method: 'HEAD', headers })
  expect([head.status, head.headers.get('allow')]).toEqual([405, 'GET, OPTIONS'])
  const refusals = [
    [403, 'not_member'],
    [404, 'not_found'],
    [503, 'unavailable'],
  ] as const
  for (const [status, code] of refusals)
    for (const wait of [0, 20]) {
      engine.onRequest = (request) => {
        if (request.kind === 'read') engine.say(engine.answer(request, [[34, null, code, 'JOIN first']], null))
      }
      const response = await get(`poll?room=r&wait=${wait}`)
      if (status === 503) expect(response.headers.get('retry-after')).toBe('1')
      await expectProblem(response, status, code)
    }
  engine.onRequest = (request) => engine.obey(request)
  const poll = (more: Record<string, string>) => fetch(`${url}/v1/poll?room=r&wait=0`, { headers: { cookie, ...more } })
  expect((await poll({})).status).toBe(200)
  const own = await poll({ origin: url })
  expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, url])
  const foreign = await poll({ origin: 'https://evil.example' })
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
  await expectProblem(foreign, 403, 'forbidden')
})

test('P5 a player holds at most 32 at once, then 429 with Retry-After; one whose client has gone holds nothing', async () => {
  const { url, headers, engine, get, server } = await seat({ limits: { frame: 16_384, rate: 1_000 } })
  const aborting = new AbortController()
  const polls = Array.from({ length: 32 }, () =>
    fetch(`${url}/v1/poll?room=r&since=1`, { headers, signal: aborting.signal }).catch(() => null),
  )
  await expect.poll(() => engine.reads.length).toBe(32)
  expect(server.gateway.counters.http.longpoll.open).toBe(32)
  const more = await get('poll?room=r&since=1')
  expect(Number(more.headers.get('retry-after'))).toBeGreaterThan(0)
  await expectProblem(more, 429, 'rate_limited')
  aborting.abort()
  await Promise.all(polls)
  await expect.poll(() => server.gateway.held()).toMatchObject({ connections: 0, rooms: 0, requests: 0 })
  expect(server.gateway.counters.http.longpoll.open).toBe(0)
  await expect.poll(() => engine.detaches.flatMap(({ conns }) => conns).length).toBe(32)
  expect((await get('poll?room=r&since=1&wait=0.01')).status).toBe(204)
})

test('P5 polls draw from the rate of their player: above it 429', async () => {
  const { get } = await seat({ limits: { frame: 16_384, rate: 1 } })
  const polls = await Promise.all(Array.from({ length: 20 }, () => get('poll?room=r&wait=0')))
  const statuses = polls.map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([200, 429]))
})

test('a drain ends held polls soon with 204, and refuses new ones with 503', async () => {
  const { get, conn, server } = await seat()
  const held = get('poll?room=r&since=1&wait=30')
  await conn(0)
  const drained = server.drain()
  expect((await held).status).toBe(204)
  await drained
  await expectProblem(await get('poll?room=r&since=1&wait=30'), 503, 'unavailable')
})

test('who is put out of the room learns it by the poll that was held', async () => {
  const { get, engine, conn } = await seat()
  const held = get('poll?room=r&since=1&wait=20')
  engine.say({ kind: 'close', room: 'r', conn: await conn(0), code: null, reason: 'kicked' })
  expect(await bodyOf(await held)).toEqual([
    [36, 'r', 1, 1, []],
    [40, 'r', 'kicked', null],
  ])
})

test('a held poll whose read came twice, and which its engine let go by the late copy, is attached again from where it stands', async () => {
  const { get, engine, conn } = await seat()
  engine.seq = 4
  const held = get('poll?room=r&since=4&wait=20')
  const to = await conn(0)
  const [read] = engine.reads
  if (read === undefined) throw new Error('nothing was read')
  engine.onRequest = (request) => {
    if (request.kind !== 'attach') return engine.obey(request)
    engine.say(engine.answer(request, [[35, 'r', 5, { game: 5 }]], { role: 'player', seq: 5, heard: 5 }, to))
  }
  engine.say(engine.answer(read, [], null))
  expect(await bodyOf(await held)).toEqual([[35, 'r', 5, { game: 5 }]])
  expect(engine.attaches.flatMap(({ members }) => members)).toMatchObject([{ conn: to, since: 4, as: 'held' }])
})
