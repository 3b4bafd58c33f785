import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { expect, test } from 'vitest'
import { virtualClock } from '../test/virtual-clock.ts'
import { createAuth } from './auth.ts'

const SECRET = 'a secret of more than thirty-two bytes'
const key = (text: string) => new TextEncoder().encode(text)
const clock = virtualClock()
let drawn = 0
const chance = { uint32: () => ++drawn, bytes: (n: number) => new Uint8Array(n).fill(++drawn) }
const auth = (more: { issuer?: string; audience?: string; guestKey?: Uint8Array } = {}) =>
  createAuth({ keys: { by: 'secret', secret: SECRET }, clock, chance, ...more })
const signed = (claims: JWTPayload, secret = SECRET) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key(secret))
const ann = { sub: 'ann', name: 'Ann' }

test('a token signed with the secret says who its bearer is', async () => {
  expect(await auth().verify(await signed(ann))).toEqual({ id: 'ann', name: 'Ann', guest: false })
})

test.each([
  ['another secret', () => signed(ann, 'another secret of more than 32 bytes')],
  ['alg none', async () => new UnsecuredJWT(ann).encode()],
  ['no signature', async () => (await signed(ann)).split('.').slice(0, 2).join('.')],
  [
    'a changed payload',
    async () => (await signed(ann)).replace(/\.(.)/, (_, first: string) => `.${first === 'e' ? 'f' : 'e'}`),
  ],
  ['HS512', () => new SignJWT(ann).setProtectedHeader({ alg: 'HS512' }).sign(new Uint8Array(64))],
  ['text that is no token', async () => 'hello'],
  ['nothing', async () => ''],
])('%s: unauthorized', async (_what, token) => {
  await expect(auth().verify(await token())).rejects.toMatchObject({ code: 'unauthorized' })
})

test.each([
  ['no sub', { name: 'Ann' }],
  ['a sub with other characters', { ...ann, sub: 'ann smith' }],
  ['a sub of 65 characters', { ...ann, sub: 'a'.repeat(65) }],
  ['an empty sub', { ...ann, sub: '' }],
  ['no name', { sub: 'ann' }],
  ['an empty name', { ...ann, name: '' }],
  ['a name of spaces', { ...ann, name: '   ' }],
  ['a name that is no text', { ...ann, name: 5 }],
  ['a name of 41 characters', { ...ann, name: 'a'.repeat(41) }],
  ['a name with a line break', { ...ann, name: 'Ann\nBob' }],
  ['a name with a bidi override', { ...ann, name: 'Ann\u202egnp' }],
  ['a name with a bidi isolate', { ...ann, name: 'Ann\u2066' }],
  ['a name that is not NFC', { ...ann, name: 'e\u0301' }],
])('%s: unauthorized, and the message says what is wrong', async (_what, claims) => {
  await expect(auth().verify(await signed(claims))).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringMatching(/name|sub/),
  })
})

test('a name may have 40 characters of any script, emoji counted by code point', async () => {
  const name = `${'🎭'.repeat(39)}힣`
  expect(await auth().verify(await signed({ sub: 'a.b:c@d-e_F9', name }))).toMatchObject({ name, id: 'a.b:c@d-e_F9' })
})

test('an expired token is refused, by the clock that is handed in', async () => {
  const exp = Math.floor(clock.now() / 1000) + 60
  const token = await signed({ ...ann, exp })
  expect(await auth().verify(token)).toMatchObject({ id: 'ann' })
  const later = createAuth({
    keys: { by: 'secret', secret: SECRET },
    clock: { ...clock, now: () => clock.now() + 61_000 },
    chance,
  })
  await expect(later.verify(token)).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringContaining('expired'),
  })
})

test('issuer and audience are required where they are set', async () => {
  const strict = auth({ issuer: 'us', audience: 'madang' })
  expect(await strict.verify(await signed({ ...ann, iss: 'us', aud: ['other', 'madang'] }))).toMatchObject({
    id: 'ann',
  })
  for (const claims of [ann, { ...ann, iss: 'us' }, { ...ann, aud: 'madang' }, { ...ann, iss: 'them', aud: 'madang' }])
    await expect(strict.verify(await signed(claims))).rejects.toMatchObject({ code: 'unauthorized' })
})

test('with a JWT key there are no guests', () => {
  expect(auth().admitGuest).toBeNull()
})

const guests = (secret = 'guests') => createAuth({ keys: { by: 'guests', key: key(secret.padEnd(32)) }, clock, chance })

test('a guest gets a token that is good here, also after a restart with the same key, and nowhere else', async () => {
  const pass = await guests().admitGuest?.('Ann')
  if (!pass) throw new Error('guests are off')
  expect(pass.player).toEqual({ id: expect.stringMatching(/^guest-[A-Za-z0-9_-]{16}$/), name: 'Ann' })
  expect(await guests().verify(pass.token)).toMatchObject({ ...pass.player, guest: true })
  await expect(guests('elsewhere').verify(pass.token)).rejects.toMatchObject({ code: 'unauthorized' })
})

test('two guests of one name are two players', async () => {
  const { admitGuest } = guests()
  expect((await admitGuest?.('Ann'))?.player.id).not.toBe((await admitGuest?.('Ann'))?.player.id)
})

test('a guest’s name is brought into NFC and trimmed; a bad one is invalid_payload', async () => {
  const { admitGuest } = guests()
  expect((await admitGuest?.('  Jose\u0301 '))?.player.name).toBe('Jos\u00e9')
  for (const name of ['', '  ', 'x'.repeat(41), 'a\u0000b', undefined, 5, ['Ann'], '\ud800'])
    await expect(admitGuest?.(name)).rejects.toMatchObject({ code: 'invalid_payload' })
})

test('a token signed with the guests’ key for another purpose is no guest’s token', async () => {
  const token = await signed(ann, 'guests'.padEnd(32))
  await expect(guests().verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
})

const keyServer = async (body: () => { status: number; text: string }) => {
  const server = createServer((_request, response) => {
    const { status, text } = body()
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = isAddress(address) ? address.port : 0
  return { url: `http://127.0.0.1:${port}/jwks`, close: () => new Promise((resolve) => server.close(resolve)) }
}
const isAddress = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === 'object' && address !== null

test('JWKS: tokens under its asymmetric keys are good, others and HS256 with a public key are not', async () => {
  const good = await generateKeyPair('ES256')
  const other = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(good.publicKey)), kid: 'one', alg: 'ES256' }
  const shared = { kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), kid: 'shared', alg: 'HS256' }
  const server = await keyServer(() => ({ status: 200, text: JSON.stringify({ keys: [jwk, shared] }) }))
  const byKeys = createAuth({ keys: { by: 'jwks', url: server.url }, clock, chance })
  const sign = (alg: string, kid: string, signKey: CryptoKey | Uint8Array) =>
    new SignJWT(ann).setProtectedHeader({ alg, kid }).sign(signKey)
  expect(await byKeys.verify(await sign('ES256', 'one', good.privateKey))).toMatchObject({ id: 'ann', guest: false })
  for (const token of [
    await sign('ES256', 'one', other.privateKey),
    await sign('ES256', 'two', good.privateKey),
    await sign('HS256', 'shared', key(SECRET)),
    await sign('HS256', 'one', key(JSON.stringify(jwk))),
    new UnsecuredJWT(ann).encode(),
  ])
    await expect(byKeys.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
  await server.close()
})

test('JWKS that cannot be had is not the token’s fault: unavailable', async () => {
  const { privateKey } = await generateKeyPair('ES256')
  const token = await new SignJWT(ann).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(privateKey)
  const broken = await keyServer(() => ({ status: 500, text: 'no' }))
  const failing = createAuth({ keys: { by: 'jwks', url: broken.url }, clock, chance })
  await expect(failing.verify(token)).rejects.toMatchObject({ code: 'unavailable' })
  await broken.close()
  const gone = createAuth({ keys: { by: 'jwks', url: broken.url }, clock, chance })
  await expect(gone.verify(token)).rejects.toMatchObject({ code: 'unavailable' })
})

test('guests let in besides: their tokens are under their own key, whatever the other one is', async () => {
  const both = auth({ guestKey: key('a key of guests, thirty-two bytes') })
  const pass = await both.admitGuest?.('Gus')
  expect(await both.verify(pass?.token ?? '')).toMatchObject({ ...pass?.player, guest: true })
  expect(await both.verify(await signed(ann))).toEqual({ id: 'ann', name: 'Ann', guest: false })
  const forged = await signed({ ...ann, iss: 'madang', aud: 'madang-guest' })
  await expect(both.verify(forged)).rejects.toMatchObject({ code: 'unauthorized' })
  await expect(auth().verify(pass?.token ?? '')).rejects.toMatchObject({ code: 'unauthorized' })
})
