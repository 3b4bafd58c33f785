import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Program, startMadang, temporaryFolder, until } from '../program.ts'
import { dig, enter, first, newGuest, postJson, Raw, table, upgradeStatus } from './raw.ts'

const data = temporaryFolder()
let program: Program
let url = ''
beforeAll(async () => {
  program = await startMadang(['--data', data.path])
  url = program.url
})
afterAll(async () => {
  await program.kill()
  data[Symbol.dispose]()
})

const expectProblem = async (response: Response, status: number, code: string) => {
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(await response.json()).toMatchObject({ status, code, title: expect.any(String) })
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A request whose bytes are ours: what `fetch` would tidy up goes out as it is. Resolves with the answer's bytes. */
const rawRequest = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(program.port, '127.0.0.1', () => socket.end(text))
    let got = ''
    socket.setEncoding('latin1').on('data', (part) => {
      got += part
    })
    socket.on('close', () => resolve(got)).on('error', reject)
  })

describe.concurrent('POST /v1/guests', () => {
  test('201 {token, player: {id, name}} and the cookie madang: HttpOnly, SameSite=Lax, Path=/, not Secure without TLS', async () => {
    const response = await postJson(`${url}/v1/guests`, { name: 'Ann' })
    expect(response.status).toBe(201)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    const body = await response.json()
    expect(body).toEqual({
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      player: { id: expect.stringMatching(/^[A-Za-z0-9._:@-]{1,64}$/), name: 'Ann' },
    })
    const [pair, ...attributes] = (response.headers.get('set-cookie') ?? '').split(/; */)
    expect(pair).toBe(`madang=${dig(body, 'token')}`)
    const lower = attributes.map((attribute) => attribute.toLowerCase())
    expect(lower).toEqual(expect.arrayContaining(['httponly', 'samesite=lax', 'path=/']))
    expect(lower).not.toContain('secure')
    const other = await newGuest(url, 'Ann')
    expect(other.player.id).not.toBe(dig(body, 'player', 'id'))
  })

  test('names: 1–40 characters, any script; none, too long, control, bidi: refused with invalid_payload', async () => {
    for (const name of ['x', '한글', '👩‍👩‍👧', 'x'.repeat(40), "O'Neill <b>"])
      expect((await newGuest(url, name)).player.name).toBe(name)
    for (const name of [
      undefined,
      null,
      5,
      '',
      '   ',
      'x'.repeat(41),
      'a\u0000',
      'a\nb',
      'a\u202eb',
      { a: 1 },
      ['Ann'],
    ]) {
      const response = await postJson(`${url}/v1/guests`, { name })
      expect([400, 422], JSON.stringify(name)).toContain(response.status)
      expect(await response.json()).toMatchObject({ code: 'invalid_payload' })
    }
  })

  test('400 for what is not JSON, 415 for another type, 413 for too much, 405 for another method with Allow', async () => {
    await expectProblem(await postJson(`${url}/v1/guests`, '{"name":'), 400, 'bad_frame')
    await expectProblem(await postJson(`${url}/v1/guests`, '"Ann"'), 400, 'bad_frame')
    await expectProblem(await postJson(`${url}/v1/guests`, ''), 400, 'bad_frame')
    const typed = (type: string) => postJson(`${url}/v1/guests`, { name: 'Ann' }, { 'content-type': type })
    await expectProblem(await typed('text/plain'), 415, 'bad_frame')
    await expectProblem(await typed('application/x-www-form-urlencoded'), 415, 'bad_frame')
    expect((await typed('application/json; charset=utf-8')).status).toBe(201)
    expect((await typed('Application/JSON')).status).toBe(201)
    await expectProblem(await postJson(`${url}/v1/guests`, { name: 'x'.repeat(70_000) }), 413, 'bad_frame')
    const wrong = await fetch(`${url}/v1/guests`)
    expect(wrong.headers.get('allow')).toContain('POST')
    await expectProblem(wrong, 405, 'bad_frame')
  })
})

describe.concurrent('GET /v1/games and /v1/rooms', () => {
  test('games: id, version, title, players [min, max], options as JSON Schema', async () => {
    const response = await fetch(`${url}/v1/games`)
    expect(response.status).toBe(200)
    const { games } = Object(await response.json())
    const ids = games.map(({ id }: { id: string }) => id)
    expect(ids).toEqual(expect.arrayContaining(['tictactoe', 'mafia']))
    expect(ids).not.toContain('bench')
    const tictactoe = games.find(({ id }: { id: string }) => id === 'tictactoe')
    expect(tictactoe).toMatchObject({ id: 'tictactoe', version: 1, players: [2, 2] })
    expect(Object.keys(tictactoe)).toEqual(expect.arrayContaining(['id', 'options', 'players', 'title', 'version']))
    const mafia = games.find(({ id }: { id: string }) => id === 'mafia')
    expect(mafia).toMatchObject({
      players: [5, 12],
      options: { type: 'object', properties: { night: { type: 'number', default: 30 }, day: { default: 120 } } },
    })
  })

  test('rooms: the public ones of a game, {room, game, phase, players: n, seats}; one by its id, public or not; 404', async () => {
    const { raw } = await enter(url, 'Ann')
    const shown = await raw.create('mafia', { night: 61 }, { public: true })
    const hidden = await raw.create('mafia', { night: 61 })
    await raw.join(shown)
    const list = async (query: string) => Object(await (await fetch(`${url}/v1/rooms${query}`)).json()).rooms
    const listing = { room: shown, game: 'mafia', phase: 'open', players: 1, seats: 12 }
    expect(await list('?game=mafia')).toContainEqual(listing)
    expect(await list('')).toContainEqual(listing)
    expect(JSON.stringify([await list('?game=mafia'), await list('')])).not.toContain(hidden)
    expect(JSON.stringify(await list('?game=tictactoe'))).not.toContain(shown)
    expect(await list('?game=chess')).toEqual([])
    const one = await fetch(`${url}/v1/rooms/${hidden}`)
    expect(one.status).toBe(200)
    expect(await one.json()).toEqual({ room: hidden, game: 'mafia', phase: 'open', players: 0, seats: 12 })
    await expectProblem(await fetch(`${url}/v1/rooms/no-such-room`), 404, 'not_found')
    await expectProblem(await fetch(`${url}/v1/rooms/${'x'.repeat(65)}`), 404, 'not_found')
    raw.cut()
  })

  test('phases: playing, then over', async () => {
    const { room, seats } = await table(url, 'tictactoe', 2)
    const { raw } = first(seats)
    await raw.until(() => raw.see(room, 'room', 'phase') === 'playing')
    const phase = async () => dig(await (await fetch(`${url}/v1/rooms/${room}`)).json(), 'phase')
    expect(await phase()).toBe('playing')
    await raw.ok(4, room)
    expect(await phase()).toBe('over')
    for (const seat of seats) seat.raw.cut()
  })
})

describe.concurrent('POST /v1/rooms', () => {
  test('201 {room}; the creator is its host and not joined; options and public are taken', async () => {
    const { token, player } = await newGuest(url, 'Ann')
    const body = { game: 'mafia', options: { night: 71 }, public: true }
    const response = await postJson(`${url}/v1/rooms`, body, bearer(token))
    expect(response.status).toBe(201)
    const made = await response.json()
    expect(made).toEqual({ room: expect.stringMatching(/^[A-Za-z0-9_-]{1,64}$/) })
    const room = String(dig(made, 'room'))
    const raw = new Raw(url)
    await raw.hello({ token })
    await raw.join(room, { role: 'spectator' })
    await raw.until(() => raw.held.has(room))
    expect(raw.see(room, 'room')).toMatchObject({ host: player.id, players: [], phase: 'open' })
    const plain = await postJson(`${url}/v1/rooms`, { game: 'mafia', options: { night: 71 } }, bearer(token))
    const listed = JSON.stringify(await (await fetch(`${url}/v1/rooms?game=mafia`)).json())
    expect(listed).toContain(room)
    expect(listed).not.toContain(String(dig(await plain.json(), 'room')))
    raw.cut()
  })

  test('Idempotency-Key: the same room for the same player, also with other keys another; reused with other content: 409 conflict', async () => {
    const [ann, bob] = [await newGuest(url, 'Ann'), await newGuest(url, 'Bob')]
    const make = (token: string, key: string, body: unknown = { game: 'tictactoe' }) =>
      postJson(`${url}/v1/rooms`, body, { ...bearer(token), 'idempotency-key': key })
    const room = async (response: Promise<Response>) => {
      const answer = await response
      expect([200, 201]).toContain(answer.status)
      return dig(await answer.json(), 'room')
    }
    const id = await room(make(ann.token, 'key-1'))
    expect(await room(make(ann.token, 'key-1'))).toBe(id)
    const both = await Promise.all([room(make(ann.token, 'key-2')), room(make(ann.token, 'key-2'))])
    expect(both[0]).toBe(both[1])
    expect(both[0]).not.toBe(id)
    expect(await room(make(bob.token, 'key-1'))).not.toBe(id)
    expect(await room(make(ann.token, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'))).toBeTruthy()
    await expectProblem(await make(ann.token, 'key-1', { game: 'mafia' }), 409, 'conflict')
  })

  test('401 without a token or with a bad one, 404 for an unknown game, 4xx invalid_payload for bad options, 400, 415, 413', async () => {
    const { token } = await newGuest(url, 'Ann')
    const make = (body: unknown, headers: Record<string, string> = bearer(token)) =>
      postJson(`${url}/v1/rooms`, body, headers)
    const anonymous = await make({ game: 'tictactoe' }, {})
    expect(anonymous.headers.get('www-authenticate')).toMatch(/^Bearer/)
    await expectProblem(anonymous, 401, 'unauthorized')
    await expectProblem(await make({ game: 'tictactoe' }, bearer('nonsense')), 401, 'unauthorized')
    await expectProblem(await make({ game: 'chess' }), 404, 'not_found')
    const options = await make({ game: 'mafia', options: { night: 'long' } })
    expect([400, 422]).toContain(options.status)
    expect(await options.json()).toMatchObject({ code: 'invalid_payload' })
    for (const body of [{}, { game: 5 }, [], '{', { game: 'mafia', public: 'yes' }])
      await expectProblem(await make(body), 400, 'bad_frame')
    await expectProblem(
      await make({ game: 'mafia' }, { ...bearer(token), 'content-type': 'text/plain' }),
      415,
      'bad_frame',
    )
    await expectProblem(await make({ game: 'mafia', options: { x: 'y'.repeat(70_000) } }), 413, 'bad_frame')
    const other = await fetch(`${url}/v1/rooms`, { method: 'DELETE' })
    expect(other.headers.get('allow')).toMatch(/GET/)
    await expectProblem(other, 405, 'bad_frame')
  })

  test('with the cookie a POST needs an allowed Origin, else (also without one) 403; with Bearer it does not', async () => {
    const { cookie, token } = await newGuest(url, 'Ann')
    const make = (headers: Record<string, string>) => postJson(`${url}/v1/rooms`, { game: 'tictactoe' }, headers)
    await expectProblem(await make({ cookie }), 403, 'forbidden')
    await expectProblem(await make({ cookie, origin: 'http://evil.example' }), 403, 'forbidden')
    await expectProblem(await make({ cookie, origin: 'null' }), 403, 'forbidden')
    expect((await make({ cookie, origin: url })).status).toBe(201)
    expect((await make(bearer(token))).status).toBe(201)
  })

  test('rate_limited is 429 with Retry-After; the Idempotency-Key was not used up', async () => {
    const own = await startMadang(['--data', join(data.path, 'rate-limited'), '--rate', '1'])
    const { token } = await newGuest(own.url, 'Ann')
    const make = (key: string) =>
      postJson(`${own.url}/v1/rooms`, { game: 'tictactoe' }, { ...bearer(token), 'idempotency-key': key })
    let response = await make('0')
    for (let i = 1; i < 20 && response.status === 201; i++) response = await make(`${i}`)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    await expectProblem(response, 429, 'rate_limited')
    await until(async () => (await make('last')).status === 201, 'a room once the rate allows it')
    await own.kill()
  })
})

describe.concurrent('all of HTTP', () => {
  test('what is not there: 404; GET of /v1/ws without an upgrade is an error and no hang', async () => {
    for (const path of ['/v1', '/v1/', '/v1/nothing', '/v1/rooms/a/b', '/nothing', '/assets/nothing.js', '/v2/ws'])
      await expectProblem(await fetch(`${url}${path}`), 404, 'not_found')
    const response = await fetch(`${url}/v1/ws`)
    expect([400, 426]).toContain(response.status)
    await response.arrayBuffer()
  })

  test('HEAD answers like GET without a body', async () => {
    for (const path of ['/healthz', '/v1/games', '/']) {
      const response = await fetch(`${url}${path}`, { method: 'HEAD' })
      expect(response.status, path).toBe(200)
      expect(await response.text()).toBe('')
    }
  })

  test('/healthz and /readyz are 200 on the clients’ port', async () => {
    for (const path of ['/healthz', '/readyz']) expect((await fetch(`${url}${path}`)).status).toBe(200)
  })

  test('metrics and admin are not on the clients’ port', async () => {
    for (const path of ['/metrics', '/admin', '/admin/status']) expect((await fetch(`${url}${path}`)).status).toBe(404)
  })

  test('CORS obeys --origins, as WebSocket’s Origin does; credentials allowed for those listed, nothing for others', async () => {
    const own = await startMadang([
      '--data',
      join(data.path, 'cors'),
      '--origins',
      'https://play.example,http://other.example:8080',
    ])
    for (const origin of ['https://play.example', 'http://other.example:8080']) {
      const preflight = await fetch(`${own.url}/v1/rooms`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,idempotency-key,madang-session',
        },
      })
      expect([200, 204]).toContain(preflight.status)
      const allowed = (name: string) => preflight.headers.get(`access-control-allow-${name}`)?.toLowerCase() ?? ''
      expect(allowed('origin')).toBe(origin)
      expect(allowed('credentials')).toBe('true')
      expect(allowed('methods')).toContain('post')
      for (const name of ['authorization', 'content-type', 'idempotency-key', 'madang-session'])
        expect(allowed('headers')).toContain(name)
      const simple = await fetch(`${own.url}/v1/games`, { headers: { origin } })
      expect(simple.headers.get('access-control-allow-origin')).toBe(origin)
      expect(simple.headers.get('vary')?.toLowerCase()).toContain('origin')
      expect(await upgradeStatus(own.url, { origin })).toBe(101)
    }
    for (const origin of ['https://evil.example', 'http://play.example', 'https://play.example.evil', own.url]) {
      const simple = await fetch(`${own.url}/v1/games`, { headers: { origin } })
      expect(simple.headers.get('access-control-allow-origin'), origin).toBeNull()
      expect((await postJson(`${own.url}/v1/guests`, { name: 'Eve' }, { origin })).status, origin).toBe(403)
      expect(await upgradeStatus(own.url, { origin }), origin).toBe(403)
    }
    await own.kill()
  })

  test('a body that never ends, and one without a length, cost no more than their limit', async () => {
    const status = await new Promise((resolve, reject) => {
      const sent = request(
        `${url}/v1/guests`,
        { method: 'POST', headers: { 'content-type': 'application/json' } },
        (response) => resolve(response.statusCode),
      )
      sent.on('error', reject)
      for (let i = 0; i < 100; i++) sent.write('x'.repeat(1_000))
      sent.end()
    })
    expect(status).toBe(413)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test('garbage in place of HTTP ends that connection only', async () => {
    const got = await rawRequest('\u0016\u0003\u0001garbage\r\n\r\n').catch(() => '')
    expect(got.startsWith('HTTP/1.1 2')).toBe(false)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })
})

describe.concurrent('static files', () => {
  const assets = fileURLToPath(new URL('../../web/dist/assets/', import.meta.url))

  test('/ and /play/ROOM are the page, as HTML, with security headers and revalidated; other pages are 404', async () => {
    for (const path of ['/', '/play/some-room?name=Ann', '/play/A_b-9']) {
      const response = await fetch(`${url}${path}`)
      expect(response.status, path).toBe(200)
      expect(response.headers.get('content-type')).toMatch(/^text\/html/)
      expect(await response.text()).toMatch(/<!doctype html>/i)
      expect(response.headers.get('cache-control')).toMatch(/no-cache|max-age=0/)
    }
    expect((await fetch(`${url}/play/`)).status).toBe(404)
  })

  test('security headers on every answer: CSP with frame-ancestors, nosniff', async () => {
    for (const path of ['/', '/v1/games', '/healthz', '/nothing', '/v1/rooms/none']) {
      const { headers } = await fetch(`${url}${path}`)
      expect(headers.get('content-security-policy'), path).toMatch(/default-src.*frame-ancestors/)
      expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe-inline/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  test('assets are kept for good; an ETag that is still right gets 304 without a body, another 200', async () => {
    const [asset] = readdirSync(assets).filter((name) => name.endsWith('.js'))
    const response = await fetch(`${url}/assets/${asset}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/javascript/)
    expect(response.headers.get('cache-control')).toMatch(/immutable/)
    for (const path of ['/', `/assets/${asset}`]) {
      const etag = (await fetch(`${url}${path}`)).headers.get('etag') ?? ''
      expect(etag).toMatch(/^(W\/)?"[^"]+"$/)
      for (const held of [etag, `"x", ${etag}`, `W/${etag}`, '*']) {
        const again = await fetch(`${url}${path}`, { headers: { 'if-none-match': held } })
        expect(again.status, held).toBe(304)
        expect(await again.text()).toBe('')
        expect(again.headers.get('etag')).toBe(etag)
      }
      expect((await fetch(`${url}${path}`, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    }
  })

  test('no path leads out of the folder', async () => {
    for (const path of [
      '/../package.json',
      '/assets/../../package.json',
      '/..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '/assets/..%5c..%5cpackage.json',
      '//etc/passwd',
      '/....//package.json',
      '/assets/%00',
      '/package.json',
      '/%',
      '/%ff',
    ]) {
      const got = await rawRequest(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      expect(got, path).toMatch(/^HTTP\/1\.1 4\d\d/)
      expect(got).not.toContain('"dependencies"')
      expect(got).not.toContain('root:')
    }
  })
})

test('the rate of HTTP per address comes back, so that nobody stays locked out', async () => {
  const own = await startMadang(['--data', join(data.path, 'rate'), '--rate', '1'])
  const ask = async (): Promise<number> => {
    const response = await fetch(`${own.url}/v1/games`)
    await response.arrayBuffer()
    return response.status
  }
  // All at once: one after the other they could be as slow as what comes in again.
  expect(await Promise.all(Array.from({ length: 200 }, ask))).toContain(429)
  await until(async () => (await ask()) === 200, 'the address to be let in again')
  await own.kill()
})
