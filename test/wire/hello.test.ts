import { encode } from '@msgpack/msgpack'
import { describe, expect, test } from 'vitest'
import { programOfThisFile } from './program.ts'
import { dig, enter, newGuest, Raw, record, unsigned, upgradeStatus } from './raw.ts'

const { url } = await programOfThisFile()

const open = async (...args: ConstructorParameters<typeof Raw> extends [string, ...infer R] ? R : never) => {
  const raw = new Raw(url, ...args)
  await raw.opened()
  return raw
}

describe.concurrent('HELLO', () => {
  test('WELCOME: v 1, a session of 16–64, the player, the time in ms, the limits 16384 and 50, resumed false', async () => {
    const { token, player } = await newGuest(url, 'Ann')
    const raw = await open()
    const welcome = await raw.hello({ token, client: 'raw/1' })
    expect(welcome).toEqual({
      v: 1,
      session: expect.stringMatching(/^[A-Za-z0-9_-]{16,64}$/),
      player,
      now: expect.any(Number),
      resumed: false,
      limits: { frame: 16_384, rate: 50 },
    })
    expect(player).toEqual({ id: expect.stringMatching(/^[A-Za-z0-9._:@-]{1,64}$/), name: 'Ann' })
    expect(Math.abs(Number(welcome.now) - Date.now())).toBeLessThan(5_000)
    expect(raw.frames).toHaveLength(1)
    raw.cut()
  })

  test('a session of one’s own (16 and 64 characters) is echoed with resumed true; of another player it is another session', async () => {
    const ann = await newGuest(url, 'Ann')
    for (const session of ['sixteen-chars_16', 'S'.repeat(64)]) {
      const raw = await open()
      expect(await raw.hello({ token: ann.token, session })).toMatchObject({ session, resumed: true })
      raw.cut()
    }
    const { token } = await newGuest(url, 'Bob')
    const session = 'one-string-for-both'
    const [a, b] = [await open(), await open()]
    expect(await a.hello({ token: ann.token, session })).toMatchObject({ session, player: ann.player })
    expect(await b.hello({ token, session })).toMatchObject({ session, player: { name: 'Bob' } })
    const [ofAnn, ofBob] = [await a.askAs(1, 2, 'tictactoe'), await b.askAs(1, 2, 'tictactoe')]
    expect(dig(ofAnn, 2, 'room')).not.toBe(dig(ofBob, 2, 'room'))
    expect(a.closed).toBeNull()
    a.cut()
    b.cut()
  })

  test('a session that is not valid is not echoed: the server makes one, resumed false; nil counts as none', async () => {
    for (const session of [
      'fifteen-chars-x',
      'S'.repeat(65),
      'with a space in it',
      'ends-with-a-newline\n',
      '',
      null,
    ]) {
      const { token } = await newGuest(url, 'Ann')
      const raw = await open()
      const welcome = await raw.hello({ token, session })
      expect(welcome).toMatchObject({ resumed: false, session: expect.stringMatching(/^[A-Za-z0-9_-]{16,64}$/) })
      expect(welcome.session).not.toBe(session)
      raw.cut()
    }
  })

  test('the token also comes with the upgrade: Authorization: Bearer, or the cookie madang', async () => {
    const { token, player, cookie } = await newGuest(url, 'Ann')
    for (const headers of [
      { authorization: `Bearer ${token}` },
      { cookie },
      { cookie: `other=1; ${cookie}; another=2` },
    ]) {
      const raw = await open({ headers })
      expect(await raw.hello()).toMatchObject({ player })
      raw.cut()
    }
    const bob = await newGuest(url, 'Bob')
    const raw = await open({ headers: { cookie } })
    expect(await raw.hello({ token: bob.token })).toMatchObject({ player: bob.player })
    raw.cut()
  })

  test('the subprotocol madang.v1 is accepted, and may be left out', async () => {
    const { token } = await newGuest(url, 'Ann')
    const named = await open({}, ['madang.v1'])
    expect(named.socket.protocol).toBe('madang.v1')
    await named.hello({ token })
    const several = await open({}, ['other', 'madang.v1'])
    expect(several.socket.protocol).toBe('madang.v1')
    const without = await open()
    expect(without.socket.protocol).toBe('')
    await without.hello({ token })
    for (const raw of [named, several, without]) raw.cut()
  })

  test('a bad token still upgrades, gets ERR unauthorized, then 4001: none, nonsense, alg none, changed, by cookie too', async () => {
    const { token, player } = await newGuest(url, 'Ann')
    const [head, , signature] = token.split('.')
    const changed = Buffer.from(JSON.stringify({ sub: 'root', name: 'Root', exp: 9_999_999_999 })).toString('base64url')
    const claims = { sub: player.id, name: 'Ann', iss: 'madang', aud: 'madang-guest', exp: 9_999_999_999 }
    const asks: { ask?: Record<string, unknown>; headers?: Record<string, string> }[] = [
      {},
      { ask: { token: '' } },
      { ask: { token: 'nonsense' } },
      { ask: { token: 'a.b.c' } },
      { ask: { token: 'x'.repeat(12_000) } },
      { ask: { token: unsigned(claims) } },
      { ask: { token: `${head}.${changed}.${signature}` } },
      { ask: { token: `${token.slice(0, -4)}AAAA` } },
      { headers: { cookie: 'madang=nonsense' } },
      { headers: { authorization: 'Bearer nonsense' } },
    ]
    for (const { ask = {}, headers = {} } of asks) {
      const raw = await open({ headers })
      raw.send([1, { v: 1, ...ask }])
      expect(await raw.closeCode(), JSON.stringify(ask)).toBe(4001)
      expect(raw.frames).toEqual([[34, null, 'unauthorized', expect.any(String)]])
    }
  })

  test('another v, and elements of a wrong type, get bad_frame and the connection stays; then a right HELLO is welcome', async () => {
    const { token } = await newGuest(url, 'Ann')
    for (const ask of [{ v: 2 }, { v: '1' }, {}, { v: 1, token: 5 }, { v: 1, session: 12 }, { v: 1, session: [] }]) {
      const raw = await open()
      raw.send([1, ask])
      expect(await raw.next(34)).toEqual([34, null, 'bad_frame', expect.any(String)])
      await raw.hello({ token })
      raw.cut()
    }
    for (const hello of [[1], [1, null], [1, 'x'], [1, []]]) {
      const raw = await open()
      raw.send(hello)
      expect(await raw.next(34)).toEqual([34, null, 'bad_frame', expect.any(String)])
      raw.cut()
    }
  })

  test('a second HELLO: bad_frame, and nothing else changes', async () => {
    const { raw, guest, session } = await enter(url, 'Ann')
    raw.send([1, { v: 1, token: guest.token, session: 'another-session-x' }])
    expect(await raw.next(34)).toEqual([34, null, 'bad_frame', expect.any(String)])
    const room = await raw.create('tictactoe')
    const again = new Raw(url)
    await again.hello({ token: guest.token, session })
    expect(dig(await again.askAs(1, 2, 'tictactoe'), 2, 'room')).toBe(room)
    raw.cut()
    again.cut()
  })

  test('unknown keys in HELLO and elements after it are ignored', async () => {
    const { token } = await newGuest(url, 'Ann')
    const raw = await open()
    raw.send([1, { v: 1, token, later: { a: [1] } }, 'more', 5])
    await raw.next(32)
    raw.cut()
  })

  test('another frame first: 1008; none within 5 s: 1008, and not before 4 s', async () => {
    const { token } = await newGuest(url, 'Ann')
    const silent = await open()
    const opened = performance.now()
    for (const frame of [[8, 1], [2, 1, 'tictactoe'], [77], [32, {}]]) {
      const raw = await open({ headers: { authorization: `Bearer ${token}` } })
      raw.send(frame)
      expect(await raw.closeCode(), JSON.stringify(frame)).toBe(1008)
    }
    expect(await silent.closeCode()).toBe(1008)
    const waited = performance.now() - opened
    expect(waited).toBeGreaterThan(4_000)
    expect(waited).toBeLessThan(10_000)
  })

  test('frames sent right behind HELLO are answered in order after WELCOME', async () => {
    const { token } = await newGuest(url, 'Ann')
    const raw = await open()
    raw.send([1, { v: 1, token }], [8, 7], [2, 1, 'tictactoe'])
    await raw.answer(1)
    expect(raw.frames.map(([op]) => op)).toEqual([32, 39, 33])
    raw.cut()
  })

  test('Origin: the same host is let in, a wrong one gets HTTP 403, none is no browser and is let in', async () => {
    const { host } = new URL(url)
    expect(await upgradeStatus(url, { origin: `http://${host}` })).toBe(101)
    expect(await upgradeStatus(url, {})).toBe(101)
    for (const origin of ['http://evil.example', `http://${host}.evil.example`, 'null', 'http://127.0.0.1:1'])
      expect(await upgradeStatus(url, { origin }), origin).toBe(403)
  })

  test('a text message closes with 1003, before HELLO and after it', async () => {
    const early = await open()
    early.socket.send('hello')
    const { raw } = await enter(url, 'Ann')
    raw.socket.send('[8, 1]')
    expect([await early.closeCode(), await raw.closeCode()]).toEqual([1003, 1003])
  })

  test('a token in HELLO up to the size of a frame’s token is read; PONG gives t back and the time', async () => {
    const { raw } = await enter(url, 'Ann')
    for (const t of [0, 1.5, -3, Number.MAX_SAFE_INTEGER]) {
      raw.send([8, t])
      expect(await raw.next(39)).toEqual([39, t, expect.any(Number)])
    }
    raw.sendBytes(encode([8, 9, 'more', null]))
    expect(await raw.next(39)).toEqual([39, 9, expect.any(Number)])
    expect(record(raw.frames[0]?.[1]).v).toBe(1)
    raw.cut()
  })

  test('a WebSocket ping is answered; another path is no WebSocket', async () => {
    const { raw } = await enter(url, 'Ann')
    const pong = new Promise((resolve) => raw.socket.once('pong', (bytes) => resolve(bytes.toString())))
    raw.socket.ping('are you there')
    expect(await pong).toBe('are you there')
    raw.cut()
    const elsewhere = new Raw(`${url}/v1/other`)
    expect(await elsewhere.until(() => elsewhere.status)).toBe(404)
  })
})
