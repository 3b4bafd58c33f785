import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Program, startMadang, temporaryFolder, until } from '../program.ts'
import { dig, jwt, postJson, Raw, unsigned } from './raw.ts'

const SECRET = 'a secret of this test, long enough for HS256'
const soon = () => Math.floor(Date.now() / 1000) + 600
const folder = temporaryFolder()
const ended: (() => Promise<unknown>)[] = []
const start = async (name: string, args: string[], env: Record<string, string> = {}): Promise<Program> => {
  const program = await startMadang(['--data', join(folder.path, name), ...args], { env })
  ended.push(() => program.kill())
  return program
}
afterAll(async () => {
  for (const end of ended) await end()
  folder[Symbol.dispose]()
})

/** What a token gets: the player of the WELCOME, or the code of the ERR and the close. */
const outcome = async (url: string, token: string): Promise<unknown> => {
  const raw = new Raw(url)
  await raw.opened()
  raw.send([1, { v: 1, token }])
  const frame = await raw.next(() => true)
  if (frame[0] === 32) {
    raw.cut()
    return dig(frame, 1, 'player')
  }
  return [frame[0], frame[1], frame[2], await raw.closeCode()]
}
const REFUSED = [34, null, 'unauthorized', 4001]

describe.concurrent('--jwt-secret, --jwt-issuer, --jwt-audience', () => {
  let url = ''
  let strict = ''
  beforeAll(async () => {
    const file = join(folder.path, 'secret')
    writeFileSync(file, `${SECRET}\n`)
    url = (await start('plain', ['--jwt-secret', SECRET])).url
    strict = (await start('strict', ['--jwt-secret-file', file, '--jwt-issuer', 'me'], { MADANG_JWT_AUDIENCE: 'game' }))
      .url
  })
  const claims = { sub: 'ann', name: 'Ann', exp: soon() }
  const token = (changes: Record<string, unknown> = {}, secret = SECRET) => jwt({ ...claims, ...changes }, { secret })

  test('HS256 under the secret: sub is the id, name the name; exp is not needed', async () => {
    expect(await outcome(url, token())).toEqual({ id: 'ann', name: 'Ann' })
    expect(await outcome(url, jwt({ sub: 'a.B_c:d@e-f', name: '안녕 👋' }, { secret: SECRET }))).toEqual({
      id: 'a.B_c:d@e-f',
      name: '안녕 👋',
    })
  })

  test('expired, not yet valid, under another secret, HS512, none: unauthorized, 4001', async () => {
    const past = Math.floor(Date.now() / 1000) - 60
    const body = token().split('.').slice(0, 2)
    const head512 = Buffer.from('{"alg":"HS512"}').toString('base64url')
    const text = `${head512}.${body[1]}`
    const hs512 = `${text}.${createHmac('sha512', SECRET).update(text).digest('base64url')}`
    for (const bad of [
      token({ exp: past }),
      token({ nbf: soon() }),
      token({}, 'another secret that is long enough'),
      hs512,
      unsigned(claims),
      `${body.join('.')}.`,
      jwt(claims, { secret: SECRET, header: { alg: 'none' } }),
      jwt(claims, { secret: SECRET, header: { crit: ['x'], x: 1 } }),
    ])
      expect(await outcome(url, bad), bad).toEqual(REFUSED)
  })

  test('sub must be 1–64 of A-Za-z0-9._:@-, else the token is refused', async () => {
    expect(await outcome(url, token({ sub: 'x'.repeat(64) }))).toMatchObject({ id: 'x'.repeat(64) })
    for (const sub of [undefined, null, '', 5, 'x'.repeat(65), 'two words', 'a/b', 'é', 'line\n', ['ann']])
      expect(await outcome(url, token({ sub })), String(sub)).toEqual(REFUSED)
  })

  test('name must be 1–40 characters, NFC, without control or bidi characters, else the token is refused', async () => {
    for (const name of ['x', 'é'.repeat(40), '👋'.repeat(40)])
      expect(await outcome(url, token({ name }))).toEqual({ id: 'ann', name })
    for (const name of [undefined, null, '', 5, 'x'.repeat(41), 'e\u0301', 'a\u0000b', 'a\tb', 'a\u202eb', 'a\u2066b'])
      expect(await outcome(url, token({ name })), JSON.stringify(name)).toEqual(REFUSED)
  })

  test('--jwt-secret-file, MADANG_JWT_AUDIENCE: issuer and audience are required where set', async () => {
    expect(await outcome(strict, token({ iss: 'me', aud: 'game' }))).toEqual({ id: 'ann', name: 'Ann' })
    expect(await outcome(strict, token({ iss: 'me', aud: ['x', 'game'] }))).toEqual({ id: 'ann', name: 'Ann' })
    for (const bad of [{}, { iss: 'me' }, { aud: 'game' }, { iss: 'you', aud: 'game' }, { iss: 'me', aud: 'x' }])
      expect(await outcome(strict, token(bad)), JSON.stringify(bad)).toEqual(REFUSED)
  })

  test('a JWT key turns guests off: POST /v1/guests is 403 with code forbidden', async () => {
    const response = await postJson(`${url}/v1/guests`, { name: 'Ann' })
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ status: 403, code: 'forbidden' })
  })

  test('the same token over HTTP: Bearer makes a room as that player, a bad one is 401', async () => {
    const made = await postJson(`${url}/v1/rooms`, { game: 'tictactoe' }, { authorization: `Bearer ${token()}` })
    expect(made.status).toBe(201)
    const raw = new Raw(url)
    await raw.hello({ token: token() })
    const { room } = Object(await made.json())
    await raw.join(room)
    expect(raw.see(room, 'room', 'host')).toBe('ann')
    raw.cut()
    const bad = await postJson(
      `${url}/v1/rooms`,
      { game: 'tictactoe' },
      { authorization: `Bearer ${unsigned(claims)}` },
    )
    expect(bad.status).toBe(401)
    expect(await bad.json()).toMatchObject({ code: 'unauthorized' })
  })

  test('guests on beside a key (--guests): both a guest’s token and one of the key are welcome', async () => {
    const { url: both } = await start('both', ['--jwt-secret', SECRET, '--guests'])
    const response = await postJson(`${both}/v1/guests`, { name: 'Gus' })
    expect(response.status).toBe(201)
    const guest = Object(await response.json())
    expect(await outcome(both, guest.token)).toEqual(guest.player)
    expect(await outcome(both, token())).toEqual({ id: 'ann', name: 'Ann' })
  })
})

describe.concurrent('--jwks-url', () => {
  let keys: Server
  let url = ''
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const served: object[] = [
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec', alg: 'ES256', use: 'sig' },
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa', alg: 'RS256', use: 'sig' },
  ]
  beforeAll(async () => {
    keys = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ keys: served }))
    }).listen(0, '127.0.0.1')
    await once(keys, 'listening')
    ended.push(async () => {
      keys.closeAllConnections()
      keys.close()
    })
    const port = dig(keys.address(), 'port')
    url = (await start('jwks', ['--jwks-url', `http://127.0.0.1:${port}/jwks.json`])).url
  })
  const claims = () => ({ sub: 'ann', name: 'Ann', exp: soon() })
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = (alg: string, kid: string | undefined, key: KeyObject) => {
    const body = `${part({ alg, kid })}.${part(claims())}`
    const signature = sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(body), {
      key,
      ...(alg === 'ES256' ? { dsaEncoding: 'ieee-p1363' as const } : {}),
    })
    return `${body}.${signature.toString('base64url')}`
  }

  test('tokens of the keys found there are welcome: ES256, RS256', async () => {
    expect(await outcome(url, signed('ES256', 'ec', ec.privateKey))).toEqual({ id: 'ann', name: 'Ann' })
    expect(await outcome(url, signed('RS256', 'rsa', rsa.privateKey))).toEqual({ id: 'ann', name: 'Ann' })
  })

  test('a stranger’s key, none, HS256 under the public key (PEM, DER, JWK), another alg: unauthorized, 4001', async () => {
    const pem = rsa.publicKey.export({ format: 'pem', type: 'spki' })
    const der = rsa.publicKey.export({ format: 'der', type: 'spki' })
    const confused = [String(pem), der, JSON.stringify(served[1]), ''].map((secret) =>
      jwt(claims(), { secret, header: { kid: 'rsa' } }),
    )
    for (const bad of [
      signed('ES256', 'ec', stranger.privateKey),
      signed('ES256', 'unknown', stranger.privateKey),
      signed('ES256', 'rsa', ec.privateKey),
      unsigned(claims()),
      ...confused,
    ])
      expect(await outcome(url, bad), bad).toEqual(REFUSED)
  })

  test('a key that is added later is found soon, without a restart', async () => {
    const added = generateKeyPairSync('ed25519')
    expect(await outcome(url, signed('EdDSA', 'added', added.privateKey))).toEqual(REFUSED)
    served.push({ ...added.publicKey.export({ format: 'jwk' }), kid: 'added', alg: 'EdDSA', use: 'sig' })
    const token = signed('EdDSA', 'added', added.privateKey)
    await until(async () => dig(await outcome(url, token), 'id') === 'ann', 'the new key to be found', 30_000)
  })

  test('where the keys cannot be had: unavailable and BYE with resume, not unauthorized', async () => {
    const { url: lost } = await start('lost', ['--jwks-url', 'http://127.0.0.1:9/jwks.json'])
    const raw = new Raw(lost)
    await raw.opened()
    raw.send([1, { v: 1, token: signed('ES256', 'ec', ec.privateKey) }])
    expect((await raw.next(34))[2]).toBe('unavailable')
    expect(dig(await raw.next(41), 2, 'resume')).toBe(true)
    expect(await raw.closeCode()).toBe(1012)
  })
})
