import { expect, test } from 'vitest'
import { partitionOf } from '../bus/subjects.ts'
import { Connection } from './connection.ts'
import { createCounters } from './counters.ts'
import { RoomsHere } from './membership.ts'
import type { Socket } from './socket.ts'

const SOCKET: Socket = {
  send: () => true,
  bufferedAmount: () => 0,
  ping() {},
  cork: (task) => task(),
  subscribe() {},
  unsubscribe() {},
  end() {},
  cut() {},
}

const connection = (id: number): Connection =>
  new Connection(id, SOCKET, { token: null, address: '' }, 0, createCounters())

test('P5 a room is found by its partition from its first member to its last', () => {
  const rooms = new RoomsHere()
  const [ann, bob] = [connection(1), connection(2)]
  const partition = partitionOf('room')
  const here = () => [...rooms.of(partition)].map(({ id, members }) => [id, members.size])
  expect(here()).toEqual([])
  const first = rooms.enter(ann, 'room', 'player', 'engine-1')
  const second = rooms.enter(bob, 'room', 'spectator', 'engine-1')
  rooms.enter(bob, 'elsewhere', 'player', 'engine-1')
  expect(here()).toEqual([['room', 2]])
  rooms.leave(first)
  expect(here()).toEqual([['room', 1]])
  rooms.leave(second)
  expect(here()).toEqual([])
  expect(rooms.size).toBe(1)
})
