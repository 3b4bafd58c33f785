import { describe, expect, test } from 'vitest'
import { OP } from '../protocol/frames.ts'
import { ROOM } from './testing/server.ts'
import type { Tally } from './testing/tally.ts'
import { refusal, world } from './testing/world.ts'

describe('a session', () => {
  test('says HELLO, and knows its player and the time of the server', async () => {
    const { connect, until, clock } = world()
    const session = connect()
    expect(session.state.current.status).toBe('connecting')
    expect(session.player).toBeNull()
    expect(await until(session.ready)).toEqual({ id: 'ann', name: 'ann' })
    expect(session.state.current.status).toBe('online')
    await clock.advance(60_000)
    expect(Math.abs(session.serverNow() - clock.now() - 5_000)).toBeLessThanOrEqual(20)
  })

  test('joins, moves, and the document shows a move when it resolves', async () => {
    const { connect, until, server } = world()
    const session = connect()
    const room = await until(session.join<Tally>(ROOM))
    const totals: (number | undefined)[] = []
    room.subscribe(({ document }) => totals.push(document.game?.total))
    let shown: number | undefined
    const seq = await until(
      room.move.add({ n: 3 }).then((seq) => {
        shown = room.document.game?.total
        return seq
      }),
    )
    expect({ seq, shown, role: room.role, heldAt: room.seq }).toEqual({ seq: 2, shown: 3, role: 'player', heldAt: 2 })
    await until(room.move.add({ n: 4 }))
    expect(totals).toEqual([3, 7])
    expect(server.log.map(({ n }) => n)).toEqual([3, 4])
  })

  test('goes on after a cut: state tells, the room catches up, moves made meanwhile arrive', async () => {
    const { connect, until, server, network, clock } = world()
    const session = connect()
    const states: string[] = []
    session.state.subscribe(({ status }) => states.push(status))
    const room = await until(session.join<Tally>(ROOM))
    network.cut()
    await clock.runUntil(() => session.state.current.status === 'reconnecting')
    server.add('ben', 5)
    const move = room.move.add({ n: 1 })
    await until(move)
    expect(room.document.game?.total).toBe(6)
    expect(states).toEqual(['online', 'reconnecting', 'online'])
    const joins = server.received.filter(([op]) => op === OP.join)
    expect(joins.map((frame) => frame[3])).toEqual([undefined, { role: 'player', since: 1 }])
  })

  test('a refused move rejects with the code, the message and the ref of the server', async () => {
    const { connect, until } = world()
    const room = await until(connect().join<Tally>(ROOM))
    const error = await until(refusal(room.move.add({ n: -1 })))
    expect(error).toMatchObject({ name: 'MadangError', code: 'illegal_move', message: 'only up', ref: 2 })
  })
})

test('a transport that there is not is refused when a session is to use it', async () => {
  const session = world().connect()
  await expect(session.use(JSON.parse('"pigeon"'))).rejects.toThrow('use: a transport is auto, websocket')
})

test('options that cannot be right are refused at once', () => {
  const { connect } = world()
  expect(() => connect({ guest: '  ' })).toThrow('a guest needs a name')
})
