import { describe, expect, test } from 'vitest'
import { OP } from '../protocol/frames.ts'
import { virtualClock } from '../test/virtual-clock.ts'
import { MadangError } from './error.ts'
import { Requests } from './requests.ts'
import type { Room } from './room.ts'
import type { Session } from './session.ts'
import { seededChance } from './testing/chance.ts'
import { ROOM } from './testing/server.ts'
import type { Tally } from './testing/tally.ts'
import { refusal, type World, world } from './testing/world.ts'

const joined = async (): Promise<World & { session: Session; room: Room<Tally> }> => {
  const all = world()
  const session = all.connect()
  return { ...all, session, room: await all.until(session.join<Tally>(ROOM)) }
}

describe('a request', () => {
  test('create, match, call, start and again give what the server answers', async () => {
    const { session, room, until, server } = await joined()
    expect(await until(session.create('tally'))).toBe('tally-1')
    expect(await until(session.create('tally', { fast: true }, { public: true }))).toBe('tally-2')
    expect(await until(session.match('tally', { fast: true }))).toBe('tally-3')
    expect(await until(room.again())).toBe('r2')
    await until(room.start())
    await until(room.kick('ben'))
    expect(await until(refusal(room.call('dance', 3)))).toMatchObject({ code: 'not_found' })
    expect(server.received.slice(2)).toEqual([
      [OP.create, 2, 'tally'],
      [OP.create, 3, 'tally', { fast: true }, { public: true }],
      [OP.match, 4, 'tally', { fast: true }],
      [OP.call, 5, ROOM, 'again'],
      [OP.call, 6, ROOM, 'start'],
      [OP.call, 7, ROOM, 'kick', { player: 'ben' }],
      [OP.call, 8, ROOM, 'dance', 3],
    ])
  })

  test('P2 exactly once: is sent again with the same ref after a cut, and its effect comes once', async () => {
    const { room, server, network, clock, until } = await joined()
    server.faults = { ...server.faults, hideAnswer: () => true }
    const move = room.move.add({ n: 5 })
    await clock.runUntil(() => server.log.length === 1)
    network.cut()
    server.faults = { ...server.faults, hideAnswer: () => false }
    expect(await until(move)).toBe(2)
    const moves = server.received.filter(([op]) => op === OP.move)
    expect(moves.length).toBeGreaterThan(1)
    expect(new Set(moves.map(([, ref]) => ref))).toEqual(new Set([2]))
    expect(server.log).toHaveLength(1)
  })

  test('after a reconnect JOINs go first, then the unanswered in the order of their refs', async () => {
    const { room, server, network, clock, until } = await joined()
    network.down = true
    network.cut()
    await clock.advance(1_000)
    const moves = [1, 2, 3].map((n) => room.move.add({ n }))
    const before = server.received.length
    network.down = false
    expect(await until(Promise.all(moves))).toEqual([2, 3, 4])
    const sent = server.received.slice(before).map(([op, ref]) => [op, typeof ref === 'number' ? ref : null])
    expect(sent).toEqual([
      [OP.hello, null],
      [OP.join, 5],
      [OP.move, 2],
      [OP.move, 3],
      [OP.move, 4],
    ])
  })

  test('refused as rate_limited waits as long as the server says, and keeps its ref', async () => {
    const { room, server, clock, until } = await joined()
    let refusals = 2
    const detail = { retryAfter: 3_000 }
    server.faults = { ...server.faults, refuse: () => (refusals-- > 0 ? { code: 'rate_limited', detail } : null) }
    const start = clock.now()
    expect(await until(room.move.add({ n: 1 }))).toBe(2)
    expect(clock.now() - start).toBeGreaterThan(6_000)
    const moves = server.received.filter(([op]) => op === OP.move)
    expect(moves.map(([, ref]) => ref)).toEqual([2, 2, 2])
  })

  test('is sent again while unavailable, ever more rarely, until its deadline says that its effect is not known', async () => {
    const { room, server, clock, until } = await joined()
    server.faults = { ...server.faults, refuse: () => ({ code: 'unavailable' }) }
    const start = clock.now()
    const error = (await until(refusal(room.move.add({ n: 1 })))) as MadangError
    expect(clock.now() - start).toBe(30_000)
    expect(error).toMatchObject({ code: 'unavailable', ref: 2 })
    expect(error.message).toMatch(
      /^no answer from http\S+ within 30 s \(last: not now\); it is not known whether it took effect$/,
    )
    const sent = server.received.filter(([op]) => op === OP.move).length
    expect(sent).toBeGreaterThan(8)
    expect(sent).toBeLessThan(40)
    server.faults = { ...server.faults, refuse: () => null }
    await clock.advance(60_000)
    expect(server.log).toHaveLength(0)
  })

  test('that is impatient hears of unavailable at once, but waits where it was rate_limited', async () => {
    const clock = virtualClock()
    const requests = new Requests(clock, seededChance(1), 'http://test', 1, () => true)
    const heard: unknown[] = []
    const ask = (): void =>
      requests.ask((ref) => [OP.call, ref, ROOM, 'media.join'], 30_000, {
        ok: (value) => heard.push(value),
        failed: ({ code, detail }) => heard.push([code, detail]),
        impatient: true,
      })
    ask()
    requests.refused([OP.err, 1, 'unavailable', 'not yet', { preparing: true }])
    expect(heard).toEqual([['unavailable', { preparing: true }]])
    ask()
    requests.refused([OP.err, 2, 'rate_limited', 'slow down'])
    expect(heard).toHaveLength(1)
    requests.ok(2, 'joined')
    expect(heard.at(-1)).toBe('joined')
  })

  test('that was never sent says so at its deadline', async () => {
    const { network, connect, until, clock } = world()
    network.down = true
    const start = clock.now()
    const error = await until(refusal(connect({ deadline: 5_000 }).create('tally')))
    expect(clock.now() - start).toBe(5_000)
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^no answer from http\S+ within 5 s; the request was never sent$/),
    })
  })

  test('that was never sent rejects with what closed the session', async () => {
    const { connect, until } = world()
    const session = connect({ token: 'wrong token' })
    const error = await until(refusal(session.create('tally')))
    expect(error).toMatchObject({ code: 'unauthorized', message: expect.stringContaining('never sent') })
  })

  test('without an answer at the close rejects, and says that its effect is not known', async () => {
    const { room, session, server, clock, until } = await joined()
    server.faults = { ...server.faults, hideAnswer: () => true }
    const failed = refusal(room.move.add({ n: 1 }))
    await clock.runUntil(() => server.log.length === 1)
    session.close()
    const message = 'the session was closed; it is not known whether it took effect'
    expect(await until(failed)).toMatchObject({ code: 'unavailable', message })
    expect(await until(refusal(room.move.add({ n: 2 })))).toMatchObject({ code: 'not_member' })
    expect(await until(refusal(session.create('tally')))).toMatchObject({ code: 'unavailable' })
    expect(await until(refusal(session.join(ROOM)))).toMatchObject({ code: 'unavailable' })
  })

  test('too large, or not to be encoded, fails here and is not sent; the next one is not held up', async () => {
    const { room, server, until, network } = await joined()
    const large = await until(refusal(room.call('chat', { text: 'x'.repeat(20_000) })))
    expect(large).toMatchObject({ code: 'bad_frame', detail: { limit: 16_384 } })
    expect((large as MadangError).message).toMatch(/^the frame has 200\d\d bytes, the server takes 16384/)
    expect(await until(refusal(room.call('chat', { at: new Date(0) })))).toMatchObject({ code: 'bad_frame' })
    expect(() => room.cast('talk', 'x'.repeat(20_000))).toThrow('the server takes 16384')
    expect(await until(room.move.add({ n: 1 }))).toBe(2)
    expect(server.received.map(([op]) => op)).toEqual([OP.hello, OP.join, OP.move])
    expect(network.opened).toBe(1)
  })

  test('P2 exactly once: never runs further ahead of an unanswered one than the server remembers', async () => {
    const { room, server, clock, until } = await joined()
    let held = true
    // The first move takes effect and its answer is hidden for a while: 48 refs may follow it, no more.
    let first = true
    server.faults = {
      ...server.faults,
      hideAnswer: () => {
        const hide = first && held
        first = false
        return hide
      },
      refuse: () =>
        held && server.received.at(-1)?.[1] === 2 && server.log.length > 0 ? { code: 'unavailable' } : null,
    }
    const moves = Array.from({ length: 200 }, (_, n) => room.move.add({ n }))
    await clock.advance(10_000)
    expect(server.log).toHaveLength(48)
    held = false
    expect(await until(Promise.all(moves))).toEqual(Array.from({ length: 200 }, (_, i) => i + 2))
    expect(server.log.map(({ n }) => n)).toEqual(Array.from({ length: 200 }, (_, n) => n))
  })

  test('of one connection only is forgotten with it', () => {
    const sent: Uint8Array[] = []
    const requests = new Requests(virtualClock(), seededChance(1), 'a server', 1, (bytes) => sent.push(bytes) > 0)
    const answers: unknown[] = []
    const answer = { ok: (value: unknown) => answers.push(value), failed: (error: MadangError) => answers.push(error) }
    requests.ask((ref) => [OP.join, ref, ROOM], null, answer)
    requests.disconnected()
    requests.connected(16_384)
    expect(requests.ok(1, 'late')).toBe(false)
    requests.close(new MadangError('unavailable', 'over'))
    expect(sent).toHaveLength(1)
    expect(answers).toEqual([])
  })

  test('beyond 512 that wait is refused at once, and the others go on', async () => {
    const { room, network, clock, until } = await joined()
    network.down = true
    network.cut()
    await clock.advance(100)
    const moves = Array.from({ length: 512 }, (_, n) => room.move.add({ n }))
    expect(await until(refusal(room.move.add({ n: 0 })))).toMatchObject({ code: 'rate_limited' })
    network.down = false
    expect(await until(Promise.all(moves))).toHaveLength(512)
  })

  test('a session that goes on after its page was loaded again uses none of its old refs', async () => {
    const { session, room, connect, until, server, clock } = await joined()
    await until(room.move.add({ n: 1 }))
    session.close()
    await clock.advance(1_000)
    const again = connect({ session: session.id })
    const sameRoom = await until(again.join<Tally>(ROOM))
    expect(sameRoom.document.game?.total).toBe(1)
    await until(sameRoom.move.add({ n: 2 }))
    expect(server.log.map(({ n }) => n)).toEqual([1, 2])
  })
})
