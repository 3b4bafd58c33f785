import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startMadang, temporaryFolder, until } from '../program.ts'
import { Caller, newCaller, Polled } from './caller.ts'
import { dig, enter } from './raw.ts'

const GAMES = ['--games', fileURLToPath(new URL('./testing', import.meta.url))]
const ORIGIN = 'https://game.example'

test('SIGTERM: streams get BYE with resume and end, held polls 204 at once; after the restart all go on where they were, exactly once', async () => {
  using data = temporaryFolder()
  const args = ['--data', data.path, ...GAMES]
  const before = await startMadang(args)
  const ann = await newCaller(before.url, 'Ann')
  const bob = await newCaller(before.url, 'Bob')
  const room = await ann.create('yard')
  await ann.ok(3, room)
  await bob.ok(3, room)
  const move = [5, 100, room, 'say', { text: 'before' }]
  const answer = await ann.send(move)
  const stream = await ann.stream(room)
  await stream.next((frame) => frame[0] === 35)
  const held = new Polled()
  held.take((await bob.poll(room, 0, 0)) ?? [])
  const polling = bob.poll(room, held.seq, 30)
  const early = await Promise.race([polling, new Promise((resolve) => setTimeout(resolve, 300, 'held'))])
  expect(early).toBe('held')
  const gone = before.kill('SIGTERM')
  expect(await stream.next((frame) => frame[0] === 41)).toEqual([
    41,
    'restarting',
    { retryAfter: expect.any(Number), resume: true },
  ])
  expect(await polling).toBeNull()
  await until(() => stream.isOver(), 'the end of the stream')
  expect(await gone).toBe(0)

  const after = await startMadang(args)
  const annAgain = new Caller(after.url, ann.guest, ann.session)
  const bobAgain = new Caller(after.url, bob.guest, bob.session)
  const again = await annAgain.stream(room, '', { 'last-event-id': stream.reader.lastId })
  expect(await annAgain.send(move)).toEqual(answer)
  const next = bobAgain.poll(room, held.seq, 20)
  await annAgain.send([5, 101, room, 'say', { text: 'after' }])
  held.take((await next) ?? [])
  while (dig(held.document, 'game', 'said', 1) === undefined) held.take((await bobAgain.poll(room, held.seq, 20)) ?? [])
  expect(dig(held.document, 'game', 'said')).toEqual(['before', 'after'])
  await again.next((frame) => frame[0] === 36 && JSON.stringify(frame).includes('after'))
  again.leave()
  await after.kill()
})

test('P5 the rate holds over polls and frames, a guest’s and an address’s; CORS obeys --origins', async () => {
  using data = temporaryFolder()
  const program = await startMadang(['--data', data.path, ...GAMES, '--rate', '5', '--origins', ORIGIN])
  const { url } = program
  const ann = await newCaller(url, 'Ann')
  const answers = await ann.send(...Array.from({ length: 20 }, (_, i) => [8, i]))
  const refused = answers.filter(([op]) => op === 34)
  expect(refused.length).toBeGreaterThanOrEqual(9)
  expect(refused[0]).toEqual([34, null, 'rate_limited', expect.any(String), { retryAfter: expect.any(Number) }])
  const asked = await Promise.all(Array.from({ length: 40 }, () => ann.get('me')))
  const limited = asked.find(({ status }) => status === 429) ?? expect.fail('none was refused')
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await limited.json()).toMatchObject({ status: 429, code: 'rate_limited' })

  const preflight = (origin: string) =>
    fetch(`${url}/v1/send`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, content-type, madang-session, last-event-id',
      },
    })
  const allowed = await preflight(ORIGIN)
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, ORIGIN])
  expect((allowed.headers.get('access-control-allow-headers') ?? '').toLowerCase()).toMatch(/madang-session/)
  const foreign = await preflight('https://evil.example')
  expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null])

  const bob = await newCaller(url, 'Bob')
  const cookie = { cookie: bob.guest.cookie, 'content-type': 'application/json', 'madang-session': bob.session }
  const post = (origin: string) =>
    fetch(`${url}/v1/send`, { method: 'POST', headers: { ...cookie, origin }, body: '[[8,1]]' })
  expect((await post('https://evil.example')).status).toBe(403)
  // The list stands in the place of the same host.
  expect((await post(url)).status).toBe(403)
  const own = await post(ORIGIN)
  expect([own.status, own.headers.get('access-control-allow-credentials')]).toEqual([200, 'true'])
  await program.kill()
})

test('a spectator who is not seen for 10 s after a poll is forgotten: 403 not_member, and JOIN again', async () => {
  using data = temporaryFolder()
  const program = await startMadang(['--data', data.path, ...GAMES])
  const bob = await enter(program.url, 'Bob')
  const room = await bob.raw.create('yard')
  await bob.raw.join(room)
  const eve = await newCaller(program.url, 'Eve')
  await eve.ok(3, room, { role: 'spectator' })
  const held = new Polled()
  held.take((await eve.poll(room, 0, 0)) ?? [])
  await new Promise((resolve) => setTimeout(resolve, 6_000))
  // How many watch may have been told meanwhile.
  const said = await eve.poll(room, held.seq, 0)
  if (said !== null) held.take(said)
  await new Promise((resolve) => setTimeout(resolve, 14_000))
  const forgotten = await eve.get(`poll?room=${room}&since=${held.seq}&wait=0`)
  expect([forgotten.status, dig(await forgotten.json(), 'code')]).toEqual([403, 'not_member'])
  await eve.ok(3, room, { role: 'spectator' })
  expect((await eve.get(`poll?room=${room}&since=${held.seq}&wait=0`)).status).toBeLessThan(300)
  bob.raw.cut()
  await program.kill()
})
