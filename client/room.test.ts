import { describe, expect, test } from 'vitest'
import { decode, encode } from '../protocol/codec.ts'
import { OP } from '../protocol/frames.ts'
import type { Room, RoomClosed } from './room.ts'
import type { Session } from './session.ts'
import { ROOM } from './testing/server.ts'
import type { Tally } from './testing/tally.ts'
import { refusal, type World, world } from './testing/world.ts'

interface Joined extends World {
  session: Session
  room: Room<Tally>
  /** EMITs as they came: seq, part, and the seq of the document then. */
  emits: [seq: number, part: unknown, documentSeq: number][]
  closes: RoomClosed[]
  joins(): unknown[][]
}

const joined = async (): Promise<Joined> => {
  const all = world()
  const session = all.connect()
  const room = await all.until(session.join<Tally>(ROOM))
  const emits: Joined['emits'] = []
  const closes: RoomClosed[] = []
  room.on('emit', (event, seq) => emits.push([seq, event.part, room.seq]))
  room.on('closed', (closed) => closes.push(closed))
  return { ...all, session, room, emits, closes, joins: () => all.server.received.filter(([op]) => op === OP.join) }
}

describe('the document', () => {
  test('is never changed in place, and shares what did not change', async () => {
    const { room, until } = await joined()
    const before = room.document
    const text = JSON.stringify(before)
    await until(room.move.add({ n: 1 }))
    expect(room.document).not.toBe(before)
    expect(room.document.room).toBe(before.room)
    expect(JSON.stringify(before)).toBe(text)
  })

  test('P3 ordered: a patch that does not fit is not applied; the room joins again once from what it holds', async () => {
    const { room, server, clock, joins } = await joined()
    server.faults = { ...server.faults, lose: () => true }
    server.add('ben', 1)
    await clock.advance(100)
    server.faults = { ...server.faults, lose: () => false }
    server.add('ben', 2)
    server.add('ben', 3)
    await clock.runUntil(() => room.seq === server.seq)
    expect(room.document).toEqual(server.document)
    await clock.advance(5_000)
    expect(joins()).toEqual([
      [OP.join, 1, ROOM],
      [OP.join, 2, ROOM, { role: 'player', since: 1 }],
    ])
  })

  test('a patch that answers a JOIN and does not fit either is answered by asking for the whole document', async () => {
    const { room, server, clock, joins } = await joined()
    server.say([OP.patch, ROOM, 77, 78, []])
    await clock.runUntil(() => joins().length === 2)
    server.say([OP.patch, ROOM, 77, 78, [[['nowhere', 'at', 'all'], 1]]])
    await clock.runUntil(() => joins().length === 3)
    expect(joins()[2]?.[3]).toEqual({ role: 'player' })
    await clock.advance(1_000)
    expect(joins()).toHaveLength(3)
    expect(room.document).toEqual(server.document)
  })

  test('a frame that comes twice changes nothing, and asks for nothing', async () => {
    const { room, server, clock, until, joins } = await joined()
    const before = room.document
    server.faults = { ...server.faults, double: () => true }
    await until(room.move.add({ n: 1 }))
    server.say([OP.patch, ROOM, 1, 2, []])
    server.say([OP.state, ROOM, 1, before])
    await clock.advance(1_000)
    expect(room.document).toEqual(server.document)
    expect(joins()).toHaveLength(1)
  })

  test('goes on from a STATE where the server no longer has the one that is held', async () => {
    const { room, server, network, clock } = await joined()
    server.ring = 1
    network.cut()
    for (let n = 0; n < 5; n++) server.add('ben', n)
    await clock.runUntil(() => room.seq === server.seq)
    expect(room.document).toEqual(server.document)
  })

  test('frames of rooms that were not joined are ignored', async () => {
    const { room, server, clock } = await joined()
    server.say([OP.state, 'elsewhere', 9, server.document])
    server.say([OP.note, 'elsewhere', 'kicked', null])
    await clock.advance(100)
    expect(room.seq).toBe(1)
    expect(room.closed).toBeNull()
  })

  test('a move whose answer overtakes the document resolves when the document shows it', async () => {
    const { room, server, clock, until } = await joined()
    server.faults = { ...server.faults, lose: () => true }
    server.add('ben', 1)
    await clock.advance(100)
    server.faults = { ...server.faults, lose: () => false }
    // This move's PATCH does not fit, and its OK comes right after it.
    const total = await until(room.move.add({ n: 5 }).then(() => room.document.game?.total))
    expect(total).toBe(6)
  })

  test('a move is not taken for shown where the connection breaks between the OK of a JOIN and its PATCH', async () => {
    const { connect, until, server, network, clock } = world()
    let joins = 0
    const socket: typeof network.openSocket = (url, listener) =>
      network.openSocket(url, {
        ...listener,
        message: (bytes) => {
          listener.message(bytes)
          const frame = decode(bytes)
          if (!Array.isArray(frame) || frame[0] !== OP.ok || frame[2]?.role === undefined || ++joins !== 2) return
          network.down = true
          network.cut()
        },
      })
    const room = await until(connect({ socket }).join<Tally>(ROOM))
    server.faults = { ...server.faults, lose: () => true }
    server.add('ben', 1)
    await clock.advance(100)
    server.faults = { ...server.faults, lose: () => false }
    const total = room.move.add({ n: 5 }).then(() => room.document.game?.total)
    await clock.runUntil(() => network.down)
    await clock.advance(3_000)
    network.down = false
    expect(await until(total)).toBe(6)
  })

  test('a move is not taken for shown where its PATCH does not fit and the server says BYE', async () => {
    const { room, server, clock, until } = await joined()
    server.faults = { ...server.faults, lose: () => true }
    server.add('ben', 1)
    await clock.advance(100)
    server.faults = { ...server.faults, lose: () => false }
    const total = room.move.add({ n: 5 }).then(() => room.document.game?.total)
    server.say([OP.bye, 'restarting', { resume: true }])
    await clock.advance(200)
    expect(server.log).toHaveLength(2)
    server.closeAll(1012)
    expect(await until(total)).toBe(6)
  })

  test('a move that changes nothing for this member resolves all the same, also during a JOIN', async () => {
    const { room, server, clock, until, network, joins } = await joined()
    expect(await until(room.move.hush({ n: 1 }))).toBe(2)
    expect(room.seq).toBe(1)
    let refusals = 0
    server.faults = {
      ...server.faults,
      refuse: () => (server.received.at(-1)?.[0] === OP.join && refusals++ < 2 ? { code: 'unavailable' } : null),
    }
    network.cut()
    const move = room.move.hush({ n: 2 })
    await clock.runUntil(() => server.log.length === 2)
    expect(await until(move)).toBe(3)
    expect(joins()).toHaveLength(4)
  })
})

describe('emits', () => {
  test('come once each and in order, not before their document', async () => {
    const { room, emits, until } = await joined()
    await until(room.move.add({ n: 1 }))
    await until(room.move.hush({ n: 2 }))
    expect(emits).toEqual([
      [2, 1, 2],
      [2, 2, 2],
      [3, 1, 2],
      [3, 2, 2],
    ])
  })

  test('that came before a cut do not come again, those that were missed do', async () => {
    const { room, emits, until, network, server, clock } = await joined()
    await until(room.move.hush({ n: 1 }))
    network.cut()
    server.add('ben', 2)
    await clock.runUntil(() => room.seq === 3)
    await clock.advance(100)
    expect(emits.map(([seq, part]) => [seq, part])).toEqual([
      [2, 1],
      [2, 2],
      [3, 1],
      [3, 2],
    ])
    expect(emits.at(-1)?.[2]).toBe(3)
  })

  test('of which half came before a cut go on with the other half', async () => {
    const { emits, network, server, clock } = await joined()
    server.hush()
    await clock.runUntil(() => emits.length === 1)
    network.cut()
    await clock.advance(2_000)
    expect(emits.map(([seq, part]) => [seq, part])).toEqual([
      [2, 1],
      [2, 2],
    ])
  })
})

describe('a room', () => {
  test('is the same one when it is joined again, and a JOIN that runs is not repeated', async () => {
    const { connect, until, server } = world()
    const session = connect()
    const [one, two] = await until(Promise.all([session.join(ROOM), session.join(ROOM)]))
    expect(two).toBe(one)
    expect(await until(session.join(ROOM, { role: 'player' }))).toBe(one)
    expect(server.received.filter(([op]) => op === OP.join)).toHaveLength(1)
  })

  test('that does not exist rejects, and can be asked for again', async () => {
    const { connect, until } = world()
    const session = connect()
    expect(await until(refusal(session.join('nowhere')))).toMatchObject({ code: 'not_found', ref: 1 })
    expect(await until(refusal(session.join('nowhere')))).toMatchObject({ code: 'not_found', ref: 2 })
  })

  test('a spectator stays a spectator across reconnects, and may take a seat later', async () => {
    const { connect, until, network, clock } = world()
    const session = connect()
    const room = await until(session.join<Tally>(ROOM, { role: 'spectator' }))
    expect(room.role).toBe('spectator')
    network.cut()
    await clock.runUntil(() => network.opened === 2)
    await clock.advance(200)
    expect(room.role).toBe('spectator')
    expect(await until(refusal(room.move.add({ n: 1 })))).toMatchObject({ code: 'forbidden' })
    const roles: string[] = []
    room.subscribe(({ role }) => roles.push(role))
    expect(await until(session.join<Tally>(ROOM, { role: 'player' }))).toBe(room)
    expect(roles).toEqual(['player'])
    await until(room.move.add({ n: 1 }))
  })

  test('without a seat keeps its spectator, whose document goes on', async () => {
    const { connect, until, server, clock } = world()
    for (const name of ['ben', 'cho', 'dan']) await until(connect({ token: `token-${name}` }).join(ROOM))
    const session = connect()
    const room = await until(session.join<Tally>(ROOM, { role: 'spectator' }))
    const refused = refusal(session.join(ROOM, { role: 'player' }))
    server.add('ben', 1)
    expect(await until(refused)).toMatchObject({ code: 'room_full' })
    await clock.advance(200)
    expect(room.document).toEqual(server.document)
    expect(room.role).toBe('spectator')
  })

  test('that is left closes, and can be joined anew', async () => {
    const { session, room, until, closes, server } = await joined()
    await until(room.leave())
    expect(closes.map(({ why }) => why)).toEqual(['left'])
    expect(room.closed?.why).toBe('left')
    expect(server.isMember('ann')).toBe(false)
    expect(await until(refusal(room.move.add({ n: 1 })))).toMatchObject({ code: 'not_member' })
    const anew = await until(session.join(ROOM))
    expect(anew).not.toBe(room)
    expect(server.isMember('ann')).toBe(true)
  })

  test('that is being left when the connection breaks is not joined again', async () => {
    const { room, until, network, clock, server, joins } = await joined()
    server.faults = { ...server.faults, hideAnswer: () => true }
    const left = room.leave()
    await clock.runUntil(() => !server.isMember('ann'))
    server.faults = { ...server.faults, hideAnswer: () => false }
    network.cut()
    await until(left)
    await clock.advance(1_000)
    expect(server.isMember('ann')).toBe(false)
    expect(joins()).toHaveLength(1)
  })

  test('that is left although the server knows no member any more closes all the same', async () => {
    const { room, until, server } = await joined()
    server.faults = { ...server.faults, refuse: () => ({ code: 'not_member' }) }
    await until(room.leave())
    expect(room.closed?.why).toBe('left')
  })

  test('that cannot be left yet stays, and its document goes on', async () => {
    const { room, until, server, network } = await joined()
    server.faults = {
      ...server.faults,
      refuse: () => (server.received.at(-1)?.[0] === OP.leave ? { code: 'unavailable' } : null),
    }
    const refused = refusal(room.leave())
    network.cut()
    expect(await until(refused)).toMatchObject({ code: 'unavailable' })
    expect(room.closed).toBeNull()
    await until(room.move.add({ n: 1 }))
    expect(room.document).toEqual(server.document)
  })

  test('from which the host puts one out closes', async () => {
    const { room, server, clock, closes } = await joined()
    server.kick('ann')
    await clock.runUntil(() => room.closed !== null)
    expect(closes).toMatchObject([{ why: 'kicked', error: { message: 'the host put you out of the room' } }])
    server.add('ben', 1)
    await clock.advance(1_000)
    expect(room.seq).toBe(1)
  })

  test('that the server will not have back after a reconnect closes with the reason', async () => {
    const { room, server, clock, closes, network, session } = await joined()
    server.faults = { ...server.faults, refuse: () => ({ code: 'not_member' }) }
    network.cut()
    await clock.runUntil(() => room.closed !== null)
    expect(closes).toMatchObject([{ why: 'refused', error: { code: 'not_member' } }])
    expect(session.state.current.status).toBe('online')
  })

  test('closes with its session', async () => {
    const { room, session, closes } = await joined()
    session.close()
    session.close()
    expect(closes.map(({ why }) => why)).toEqual(['session closed'])
    expect(room.closed?.why).toBe('session closed')
  })

  test('casts reach the others, a refused one is an error event of the session, notes come as they are', async () => {
    const { room, session, server, clock } = await joined()
    const seen: unknown[] = []
    room.on('cast', (cast) => seen.push(cast))
    room.on('note', (note) => seen.push(note))
    session.on('error', ({ code }) => seen.push(code))
    room.cast('talk', new Uint8Array([1, 2]))
    room.cast('secret', 1)
    room.input({ dx: 1 })
    await clock.advance(100)
    server.say([OP.note, ROOM, 'spectators', 3])
    await clock.advance(100)
    expect(seen).toEqual([
      { from: 'ann', channel: 'talk', payload: new Uint8Array([1, 2]) },
      'forbidden',
      { topic: 'spectators', data: 3 },
    ])
    expect(server.received.at(-1)).toEqual([OP.input, ROOM, { dx: 1 }])
  })

  test('what arrives in one turn with the first document is heard by who listens once the JOIN is answered', async () => {
    const { connect, until, network, server } = world()
    const behind = [
      [OP.emit, ROOM, 1, { type: 'rang' }],
      [OP.note, ROOM, 'chat', { text: 'hello' }],
      [OP.castOut, ROOM, 'ben', 'talk', 7],
    ].map((frame) => encode(frame))
    const socket: typeof network.openSocket = (url, listener) =>
      network.openSocket(url, {
        ...listener,
        message: (bytes) => {
          listener.message(bytes)
          const frame = decode(bytes)
          if (Array.isArray(frame) && frame[0] === OP.state) for (const more of behind) listener.message(more)
        },
      })
    const room = await until(connect({ socket }).join<Tally>(ROOM))
    const heard: unknown[] = []
    room.on('emit', ({ type }) => heard.push(type))
    room.on('note', ({ topic }) => heard.push(topic))
    room.on('cast', ({ payload }) => heard.push(payload))
    expect(heard).toEqual([])
    await until(room.move.add({ n: 1 }))
    expect(heard).toEqual(['rang', 'chat', 7, 'added', 'added'])
    expect(server.log).toHaveLength(1)
  })

  test('a listener that is ended hears nothing more', async () => {
    const { room, until } = await joined()
    let heard = 0
    const ends = [room.subscribe(() => heard++), room.on('emit', () => heard++)]
    for (const end of ends) end()
    await until(room.move.add({ n: 1 }))
    expect(heard).toBe(0)
  })
})
