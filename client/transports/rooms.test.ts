import { describe, expect, test } from 'vitest'
import { type ErrFrame, type OkFrame, OP } from '../../protocol/frames.ts'
import { virtualClock } from '../../test/virtual-clock.ts'
import type { Environment } from '../environment.ts'
import { Emitter } from '../store.ts'
import { seededChance } from '../testing/chance.ts'
import { ONLINE } from '../testing/network.ts'
import { Wire } from '../wire.ts'
import { Http } from './http.ts'
import { Rooms } from './rooms.ts'
import type { Upward } from './uplink.ts'

const never = (): never => {
  throw new Error('not used here')
}
const asked = (op: number, ref: number): Upward => ({
  op,
  ref,
  room: 'r',
  frame: [op, ref, 'r', {}],
  bytes: new Uint8Array(),
})
const ok = (ref: number): OkFrame => [OP.ok, ref, { room: 'r', role: 'player', seq: 1 }]
const conflict = (ref: number): ErrFrame => [OP.err, ref, 'conflict', 'A later LEAVE.', null]

/** The rooms of a link that polls, of which each poll is held for good. */
const start = () => {
  const polls: { readonly signal: AbortSignal }[] = []
  const environment: Environment = {
    clock: virtualClock(),
    chance: seededChance(1),
    openSocket: never,
    fetch: (_, { signal }) => {
      polls.push({ signal })
      return new Promise(() => {})
    },
    network: ONLINE,
    rtc: never,
  }
  const wire = new Wire(new Emitter())
  const pass = { token: null, session: 'session' }
  const http = new Http({ environment, origin: 'http://test', transport: 'longpoll', pass, wire, heard: () => {} })
  const rooms = new Rooms({
    environment,
    http,
    transport: 'longpoll',
    pollInterval: 1_000,
    refused: () => null,
    unfit: never,
    frame: () => {},
    adrift: never,
    bye: never,
    unreadable: never,
    events: never,
  })
  const isRead = (): boolean => polls.some(({ signal }) => !signal.aborted)
  return { rooms, polls, isRead }
}

describe('a room that was joined again', () => {
  test.each([
    ['the refusal of an earlier JOIN', (rooms: Rooms) => rooms.answered(conflict(3), asked(OP.join, 3))],
    ['the OK of an earlier JOIN', (rooms: Rooms) => rooms.answered(ok(3), asked(OP.join, 3))],
    ['the OK of an earlier LEAVE', (rooms: Rooms) => rooms.answered(ok(4), asked(OP.leave, 4))],
  ])('is read on when %s comes late', (_, late) => {
    const { rooms, polls, isRead } = start()
    rooms.answered(ok(5), asked(OP.join, 5))
    late(rooms)
    expect(isRead()).toBe(true)
    expect(polls).toHaveLength(1)
    rooms.end()
  })

  test.each([
    ['the refusal of a later JOIN', (rooms: Rooms) => rooms.answered(conflict(6), asked(OP.join, 6))],
    ['the OK of a later LEAVE', (rooms: Rooms) => rooms.answered(ok(6), asked(OP.leave, 6))],
  ])('is not read after %s', (_, next) => {
    const { rooms, isRead } = start()
    rooms.answered(ok(5), asked(OP.join, 5))
    next(rooms)
    expect(isRead()).toBe(false)
    rooms.end()
  })
})
