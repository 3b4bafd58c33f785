import { afterEach, expect, test } from 'vitest'
import { endAll, serve } from './testing/server.ts'

afterEach(endAll)

test('over a real socket: a guest says HELLO, joins, moves, and gets the answers', async () => {
  const { guest, connect, engine } = await serve()
  const { token, player } = await guest('Ann')
  const client = connect()
  await client.opened()
  client.send([1, { v: 1, token }], [3, 1, 'room'], [5, 2, 'room', 'mark', { cell: 4 }])
  const [welcome, ...rest] = await client.got(4)
  expect(welcome).toMatchObject([32, { player, resumed: false, limits: { frame: 16_384, rate: 50 } }])
  expect(rest).toMatchObject([
    [33, 1, { room: 'room' }],
    [35, 'room', 1, {}],
    [33, 2, 'mark'],
  ])
  expect(engine.commands.map(({ room }) => room)).toEqual(['room'])
})
