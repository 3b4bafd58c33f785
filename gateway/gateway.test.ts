import { expect, test } from 'vitest'
import { rig } from './testing/rig.ts'

test('a HELLO gets WELCOME, a Command reaches the room, and its answer comes back', async () => {
  const { connect, engine, time } = rig()
  const client = connect()
  client.send([1, { v: 1, token: 'player:ann', session: 'session-of-ann-00' }])
  await time.settle()
  const [welcome] = client.take()
  expect(welcome).toEqual([
    32,
    {
      v: 1,
      session: 'session-of-ann-00',
      player: { id: 'ann', name: 'ann' },
      now: time.now(),
      resumed: true,
      limits: { frame: 16_384, rate: 50 },
    },
  ])
  client.send([3, 1, 'room'])
  await time.settle()
  expect(engine.commands).toMatchObject([
    { room: 'room', player: { id: 'ann', name: 'ann' }, session: 'session-of-ann-00', conn: 1 },
  ])
  expect(client.take()).toMatchObject([
    [33, 1, { room: 'room', role: 'player', seq: 1 }],
    [35, 'room', 1, {}],
  ])
})
