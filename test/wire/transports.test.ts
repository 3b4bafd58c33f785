import { fileURLToPath } from 'node:url'
import { decodeMulti, encode } from '@msgpack/msgpack'
import { describe, expect, test } from 'vitest'
import { until } from '../program.ts'
import { Caller, newCaller, Polled, type Stream } from './caller.ts'
import { programOfThisFile } from './program.ts'
import { dig, enter, type Frame, Raw } from './raw.ts'

const { url } = await programOfThisFile(
  '--games',
  fileURLToPath(new URL('./testing', import.meta.url)),
  '--rate',
  '500',
)

const is =
  (op: number) =>
  (frame: Frame): boolean =>
    frame[0] === op
const problem = async (response: Response, status: number, code: string) => {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(await response.json()).toMatchObject({ status, code, detail: expect.any(String) })
  expect(response.status).toBe(status)
}
/** A yard with one who only calls over HTTP, and one on a WebSocket. */
const yard = async () => {
  const ann = await newCaller(url, 'Ann')
  const bob = await enter(url, 'Bob')
  const room = await ann.create('yard')
  await ann.ok(3, room)
  await bob.raw.join(room)
  const held = new Polled()
  held.take((await ann.poll(room, 0, 0)) ?? [])
  return { ann, bob, room, held }
}
/** From outside a poll that is held shows only by giving no answer. */
const stillHeld = async (polling: Promise<unknown>) => {
  const early = await Promise.race([polling, new Promise((resolve) => setTimeout(resolve, 300, 'held'))])
  expect(early).toBe('held')
}
const said = (held: { document: unknown }) => dig(held.document, 'game', 'said')

describe.concurrent('POST /v1/send', () => {
  test('frames of a room and of none are answered in order; JSON and msgpack; documents do not come this way', async () => {
    const { ann, bob, room } = await yard()
    const answers = await ann.send(
      [8, 5],
      [3, 50, room],
      [5, 51, room, 'say', { text: '하나' }],
      [5, 52, room, 'fly'],
      [9],
    )
    expect(answers).toEqual([
      [39, 5, expect.any(Number)],
      [33, 50, { room, role: 'player', seq: expect.any(Number) }],
      [33, 51, expect.any(Number)],
      [34, 52, 'invalid_payload', expect.any(String), expect.anything()],
      [34, null, 'bad_frame', expect.any(String)],
    ])
    const packed = await ann.post(Buffer.concat([encode([8, 6]), encode([5, 53, room, 'say', { text: '둘' }])]), {
      'content-type': 'application/vnd.msgpack',
    })
    expect(packed.headers.get('content-type')).toBe('application/vnd.msgpack')
    expect([...decodeMulti(await packed.arrayBuffer())]).toEqual([
      [39, 6, expect.any(Number)],
      [33, 53, expect.any(Number)],
    ])
    await bob.raw.until(() => dig(bob.raw.see(room, 'game', 'said'), 'length') === 2)
    expect(bob.raw.see(room, 'game', 'said')).toEqual(['하나', '둘'])
    expect(bob.raw.broken).toEqual([])
    bob.raw.cut()
  })

  test('P2 exactly once: the same ref over HTTP after the WebSocket, and the other way round, has one effect and the first answer', async () => {
    const { bob, room } = await yard()
    const caller = new Caller(url, bob.guest, bob.session)
    const move = [5, 70, room, 'say', { text: 'once' }]
    const first = await bob.raw.askAs(70, 5, room, 'say', { text: 'once' })
    expect(await caller.send(move, move)).toEqual([first, first])
    const next = [5, 71, room, 'say', { text: 'twice' }]
    const [answer] = await caller.send(next)
    bob.raw.send(next)
    expect(await bob.raw.answer(71)).toEqual(answer)
    expect(await caller.send([5, 71, room, 'say', { text: 'other' }])).toEqual([
      [34, 71, 'conflict', expect.any(String)],
    ])
    await bob.raw.ping()
    expect(bob.raw.see(room, 'game', 'said')).toEqual(['once', 'twice'])
    const made = [2, 72, 'yard']
    const [create] = await caller.send(made)
    bob.raw.send(made)
    expect(await bob.raw.answer(72)).toEqual(create)
    bob.raw.cut()
  })

  test('a CAST over HTTP is binary where it says $bin, and a forbidden one is told', async () => {
    const { ann, bob, room } = await yard()
    expect(await ann.send([6, room, 'stroke', { $bin: 'AP8BAg==' }], [6, room, 'mute', 1])).toEqual([
      [34, null, 'forbidden', expect.any(String)],
    ])
    const cast = await bob.raw.next(38)
    expect(cast.slice(0, 4)).toEqual([38, room, ann.id, 'stroke'])
    expect(new Uint8Array(Object(cast[4]))).toEqual(new Uint8Array([0, 255, 1, 2]))
    await ann.send([6, room, 'stroke', { $$x: 1 }])
    expect((await bob.raw.next(38))[4]).toEqual({ $x: 1 })
    bob.raw.cut()
  })

  test('400, 401, 403, 413, 415; nothing of a batch that is refused takes effect', async () => {
    const { ann, bob, room } = await yard()
    const move = [5, 80, room, 'say', { text: 'never' }]
    for (const body of ['', '[]', '{}', '[5]', `[${JSON.stringify(move)},"x"]`, `[${JSON.stringify(move)},[]]`])
      await problem(await ann.post(body), 400, 'bad_frame')
    await problem(
      await ann.post(JSON.stringify([move, [5, 81, room, 'say', { text: 'x'.repeat(17_000) }]])),
      400,
      'bad_frame',
    )
    await problem(await ann.post(JSON.stringify([move]), { 'madang-session': 'x' }), 400, 'bad_frame')
    const bearer = { authorization: `Bearer ${ann.guest.token}`, 'content-type': 'application/json' }
    const post = (headers: Record<string, string>, query = '') =>
      fetch(`${url}/v1/send${query}`, { method: 'POST', headers, body: JSON.stringify([move]) })
    await problem(await post(bearer), 400, 'bad_frame')
    await problem(await ann.post(JSON.stringify([move]).padEnd(66_000)), 413, 'bad_frame')
    await problem(await ann.post(JSON.stringify([move]), { 'content-type': 'text/plain' }), 415, 'bad_frame')
    const json = { 'content-type': 'application/json', 'madang-session': ann.session }
    await problem(await post(json), 401, 'unauthorized')
    await problem(await post({ ...json, authorization: 'Bearer x' }), 401, 'unauthorized')
    await problem(await post({ ...json, cookie: ann.guest.cookie }), 403, 'forbidden')
    await problem(await post({ ...json, cookie: ann.guest.cookie, origin: 'https://evil.example' }), 403, 'forbidden')
    expect(said({ document: await documentOf(ann, room) })).toEqual([])
    const withCookie = await post({ ...json, cookie: ann.guest.cookie, origin: url })
    expect([withCookie.status, await withCookie.json()]).toEqual([200, [[33, 80, expect.any(Number)]]])
    const byQuery = await post(bearer, `?session=${ann.session}`)
    expect(await byQuery.json()).toEqual([[33, 80, expect.any(Number)]])
    bob.raw.cut()
  })
})

const documentOf = async (caller: Caller, room: string): Promise<unknown> => {
  const held = new Polled()
  held.take((await caller.poll(room, 0, 0)) ?? [])
  return held.document
}

describe.concurrent('GET /v1/poll', () => {
  test('held until another player moves, then released with what the move changed', async () => {
    const { ann, bob, room, held } = await yard()
    const polling = ann.poll(room, held.seq, 20)
    await stillHeld(polling)
    await bob.raw.ok(5, room, 'say', { text: 'hi' })
    held.take((await polling) ?? [])
    expect(said(held)).toEqual(['hi'])
    bob.raw.cut()
  })

  test('204 with wait=0 and at the end of a wait; 200 at once where something was missed', async () => {
    const { ann, bob, room, held } = await yard()
    expect(await ann.poll(room, held.seq, 0)).toBeNull()
    const before = performance.now()
    expect(await ann.poll(room, held.seq, 1)).toBeNull()
    expect(performance.now() - before).toBeGreaterThan(950)
    await bob.raw.ok(5, room, 'say', { text: 'hi' })
    held.take((await ann.poll(room, held.seq, 30)) ?? [])
    expect(said(held)).toEqual(['hi'])
    bob.raw.cut()
  })

  test('P3 ordered: a hundred moves, a poll behind the other, wait or no wait: each EMIT once, and the document as a socket has it', async () => {
    for (const wait of [0, 5]) {
      const { ann, bob, room, held } = await yard()
      const moving = (async () => {
        for (let n = 0; n < 50; n++) {
          await bob.raw.ok(5, room, 'say', { text: String(n) })
          await bob.raw.ok(5, room, 'shout', { text: String(n) })
        }
      })()
      await until(async () => {
        held.take((await ann.poll(room, held.seq, wait)) ?? [[36, room, held.seq, held.seq, []]])
        return held.emits.length >= 50
      }, 'all EMITs')
      await moving
      expect(held.emits.map((emit) => dig(emit[3], 'text'))).toEqual(Array.from({ length: 50 }, (_, n) => String(n)))
      expect(held.document).toEqual(bob.raw.held.get(room)?.document)
      bob.raw.cut()
    }
  })

  test('an EMIT without a change comes with a PATCH without ops; a CAST and a chat line too, and they move nothing', async () => {
    const { ann, bob, room, held } = await yard()
    const before = held.seq
    const polling = ann.poll(room, held.seq, 20)
    await stillHeld(polling)
    await bob.raw.ok(5, room, 'shout', { text: 'hey' })
    const frames = (await polling) ?? []
    expect(frames).toEqual([
      [36, room, before, before + 1, []],
      [37, room, before + 1, { type: 'shout', text: 'hey' }],
    ])
    held.take(frames)
    const chatting = ann.poll(room, held.seq, 20)
    await stillHeld(chatting)
    await bob.raw.ok(7, room, 'chat', { text: 'psst' })
    held.take((await chatting) ?? [])
    await until(() => held.aside.length > 0, 'the chat line')
    expect(held.aside.map((note) => [note[0], note[2], dig(note[3], 'text')])).toContainEqual([40, 'chat', 'psst'])
    // And between two polls.
    await bob.raw.ok(7, room, 'chat', { text: 'again' })
    held.take((await ann.poll(room, held.seq, 0)) ?? [])
    expect(held.aside.map((note) => dig(note[3], 'text'))).toContain('again')
    bob.raw.cut()
  })

  test('msgpack by Accept; no-store; HEAD is 405', async () => {
    const { ann, bob, room } = await yard()
    const packed = await ann.get(`poll?room=${room}&wait=0`, { accept: 'application/vnd.msgpack' })
    expect(packed.headers.get('content-type')).toBe('application/vnd.msgpack')
    expect(packed.headers.get('cache-control')).toBe('no-store')
    const frames = [...decodeMulti(await packed.arrayBuffer())]
    expect(frames[0]).toEqual([35, room, expect.any(Number), await documentOf(ann, room)])
    const head = await fetch(`${url}/v1/poll?room=${room}`, { method: 'HEAD', headers: ann.headers })
    expect(head.status).toBe(405)
    bob.raw.cut()
  })

  test('400, 401, 403 not_member, 404, and a foreign Origin', async () => {
    const { ann, bob, room } = await yard()
    for (const query of ['', 'room=a%2Fb', `room=${room}&since=-1`, `room=${room}&since=x`, `room=${room}&wait=31`])
      await problem(await ann.get(`poll?${query}`), 400, 'bad_frame')
    await problem(await fetch(`${url}/v1/poll?room=${room}`), 401, 'unauthorized')
    await problem(await ann.get('poll?room=nowhere'), 404, 'not_found')
    const eve = await newCaller(url, 'Eve')
    for (const path of [`poll?room=${room}&wait=0`, `poll?room=${room}&wait=5`, `sse?room=${room}`])
      await problem(await eve.get(path), 403, 'not_member')
    const cookie = { cookie: ann.guest.cookie, origin: 'https://evil.example' }
    const foreign = await fetch(`${url}/v1/poll?room=${room}&wait=0`, { headers: cookie })
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
    await problem(foreign, 403, 'forbidden')
    bob.raw.cut()
  })

  test('P4 private: a member’s poll holds what that member’s socket does; a removed player’s poll says so, then 403', async () => {
    const ann = await enter(url, 'Ann')
    const bob = await newCaller(url, 'Bob')
    const room = await ann.raw.create('yard')
    await ann.raw.join(room)
    await bob.ok(3, room)
    const held = new Polled()
    held.take((await bob.poll(room, 0, 0)) ?? [])
    await ann.raw.ok(5, room, 'shout', { text: 'not for Bob', to: ann.id })
    expect(await bob.poll(room, held.seq, 0)).toBeNull()
    const polling = bob.poll(room, held.seq, 20)
    await stillHeld(polling)
    await ann.raw.ok(7, room, 'kick', { player: bob.id })
    held.take((await polling) ?? [])
    await problem(await bob.get(`poll?room=${room}&since=${held.seq}&wait=0`), 403, 'not_member')
    ann.raw.cut()
  })
})

describe.concurrent('GET /v1/sse', () => {
  const holding = async (stream: Stream): Promise<{ seq: number; frame: Frame }> => {
    const frame = await stream.next((each) => each[0] === 35 || each[0] === 36, 'a document')
    return { frame, seq: Number(frame[0] === 35 ? frame[2] : frame[3]) }
  }

  test('the STATE, then PATCHes and EMITs as they happen; the seq is the id of documents alone', async () => {
    const { ann, bob, room } = await yard()
    const stream = await ann.stream(room)
    expect(stream.status).toBe(200)
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    const { seq, frame } = await holding(stream)
    expect(frame).toEqual([35, room, seq, expect.anything()])
    expect(stream.reader.comments).toBeGreaterThan(0)
    await bob.raw.ok(5, room, 'say', { text: '줄\n바꿈' })
    await bob.raw.ok(5, room, 'shout', { text: 'hey' })
    expect(await stream.next(is(36))).toEqual([36, room, seq, seq + 1, expect.anything()])
    expect(await stream.next(is(37))).toEqual([37, room, seq + 2, { type: 'shout', text: 'hey' }])
    for (const { event, id, data } of stream.reader.events) {
      expect(event).toBe('frame')
      const parsed: unknown = JSON.parse(data)
      const op = dig(parsed, 0)
      expect(id).toBe(op === 35 ? String(dig(parsed, 2)) : op === 36 ? String(dig(parsed, 3)) : null)
    }
    stream.leave()
    bob.raw.cut()
  })

  test('Last-Event-ID goes on where it was, and wins over since; EMITs since then come', async () => {
    const { ann, bob, room } = await yard()
    const stream = await ann.stream(room)
    await holding(stream)
    stream.leave()
    await bob.raw.ok(5, room, 'say', { text: 'missed' })
    await bob.raw.ok(5, room, 'shout', { text: 'heard' })
    const from = Number(stream.reader.lastId)
    const back = await ann.stream(room, '&since=0', { 'last-event-id': stream.reader.lastId })
    const { frame } = await holding(back)
    expect(frame).toEqual([36, room, from, from + 1, expect.anything()])
    expect(await back.next(is(37))).toEqual([37, room, from + 2, { type: 'shout', text: 'heard' }])
    back.leave()
    const bySince = await ann.stream(room, `&since=${from}`)
    expect((await holding(bySince)).frame).toEqual(frame)
    bySince.leave()
    await problem(await ann.get(`sse?room=${room}`, { 'last-event-id': 'x' }), 400, 'bad_frame')
    await problem(await ann.get('sse?room=nowhere'), 404, 'not_found')
    bob.raw.cut()
  })

  test('P3 ordered: who goes from polls to a stream or a socket is sent a PATCH from the seq that was polled', async () => {
    const { ann, bob, room, held } = await yard()
    for (const open of ['stream', 'socket'] as const) {
      await bob.raw.ok(5, room, 'shout', { text: 'moves the seq of polls alone' })
      held.take((await ann.poll(room, held.seq, 0)) ?? [])
      const raw = new Raw(url)
      const stream = open === 'stream' ? await ann.stream(room, `&since=${held.seq}`) : null
      if (stream === null) {
        raw.refsFrom(500)
        await raw.hello({ token: ann.guest.token, session: ann.session })
        await raw.ok(3, room, { since: held.seq })
      }
      await bob.raw.ok(5, room, 'say', { text: open })
      const frame = await (stream ? stream.next(is(36)) : raw.next(is(36), 'the PATCH'))
      expect(frame.slice(0, 4)).toEqual([36, room, held.seq, held.seq + 1])
      held.take([frame])
      expect(said(held)).toContain(open)
      stream?.leave()
      raw.cut()
    }
    bob.raw.cut()
  })

  test('a stream takes the place of the session’s socket (4002), a JOIN on a socket that of the stream (BYE); polls and HELLO take nothing', async () => {
    const { bob, room } = await yard()
    const caller = new Caller(url, bob.guest, bob.session)
    const stream = await caller.stream(room)
    await holding(stream)
    expect(await bob.raw.closeCode()).toBe(4002)
    const polling = caller.poll(room, 0, 0)
    expect((await polling)?.length).toBeGreaterThan(0)
    const raw = new Raw(url)
    raw.refsFrom(500)
    await raw.hello({ token: bob.guest.token, session: bob.session })
    await raw.ok(5, room, 'say', { text: 'still on the stream' })
    await stream.next(is(36))
    expect(stream.isOver()).toBe(false)
    const second = await caller.stream(room)
    await holding(second)
    await until(() => stream.isOver(), 'the end of the first stream')
    expect(await stream.next(is(41))).toEqual([41, expect.any(String), { resume: false }])
    const newest = new Raw(url)
    newest.refsFrom(600)
    await newest.hello({ token: bob.guest.token, session: bob.session })
    await newest.join(room)
    await until(() => second.isOver(), 'the end of the second stream')
    expect(await second.next(is(41))).toEqual([41, expect.any(String), { resume: false }])
    await newest.ok(5, room, 'say', { text: 'on the socket' })
    newest.cut()
    raw.cut()
  })

  test('who is kicked, or leaves, gets the NOTE and the end', async () => {
    const { ann, bob, room } = await yard()
    const caller = new Caller(url, bob.guest)
    const kicked = await caller.stream(room)
    await holding(kicked)
    const own = await ann.stream(room)
    await holding(own)
    await ann.ok(7, room, 'kick', { player: bob.id })
    expect(await kicked.next((frame) => frame[0] === 40 && frame[2] === 'kicked')).toEqual([40, room, 'kicked', null])
    await until(() => kicked.isOver(), 'the end')
    await ann.ok(4, room)
    expect(await own.next((frame) => frame[0] === 40 && frame[2] === 'left')).toEqual([40, room, 'left', null])
    await until(() => own.isOver(), 'the end')
    bob.raw.cut()
  })

  test('a spectator’s stream gets what spectators get; one who is gone for long must JOIN again', async () => {
    const { bob, room } = await yard()
    const eve = await newCaller(url, 'Eve')
    await eve.ok(3, room, { role: 'spectator' })
    const stream = await eve.stream(room)
    await holding(stream)
    await bob.raw.ok(5, room, 'say', { text: 'for all' })
    expect(await stream.next(is(36))).toMatchObject([
      36,
      room,
      expect.any(Number),
      expect.any(Number),
      expect.anything(),
    ])
    expect(await eve.send([5, 90, room, 'say', { text: 'no' }])).toEqual([[34, 90, 'forbidden', expect.any(String)]])
    stream.leave()
    bob.raw.cut()
  })
})

describe.concurrent('presence', () => {
  test('a poll counts for its wait and 10 s, then the grace of 5 s: the player is dropped after that, and a poll brings it back', async () => {
    const { ann, bob, room, held } = await yard()
    const connected = () => bob.raw.see(room, 'room', 'members', ann.id, 'connected')
    const start = performance.now()
    await ann.poll(room, held.seq, 1)
    await bob.raw.until(() => connected() === true)
    while (connected() === true) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      bob.raw.send([8, 1])
      if (performance.now() - start > 40_000) throw new Error('never dropped')
    }
    const seconds = (performance.now() - start) / 1_000
    expect(seconds).toBeGreaterThan(14)
    expect(seconds).toBeLessThan(25)
    await ann.poll(room, held.seq, 0)
    await bob.raw.until(() => connected() === true)
    bob.raw.cut()
  })
})
