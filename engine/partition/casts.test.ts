import { expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import { counter } from './testing/games.ts'
import { startWorld } from './testing/start.ts'

test('P4 private: a CAST goes where its channel allows, and nothing is taken from spectators or who was kicked', async () => {
  const face = `everyone: (s) => ({ sum: s.context.sum }), channels: { dot: { maxBytes: 8, rate: 5, from: () => true, to: (s, p, v) => v === 'bob' } }`
  const { world, ann } = await startWorld(counter({ face }))
  const [bob, cas, eve] = [world.gateway.connect('bob'), world.gateway.connect('cas'), world.gateway.connect('eve')]
  await bob.join('r')
  await cas.join('r')
  await eve.join('r', { role: 'spectator' })
  await ann.call('r', 'start')
  ann.send('r', [[OP.cast, 'r', 'dot', new Uint8Array([1, 2])]])
  await world.gateway.settle()
  expect(bob.frames(OP.castOut)).toEqual([[OP.castOut, 'r', 'ann', 'dot', new Uint8Array([1, 2])]])
  expect([...ann.frames(OP.castOut), ...cas.frames(OP.castOut), ...eve.frames(OP.castOut)]).toEqual([])
  const refused = async (client: typeof ann) => {
    client.send('r', [[OP.cast, 'r', 'dot', 1]])
    await world.gateway.settle()
    return client.frames(OP.err).at(-1)?.[2]
  }
  expect(await refused(eve)).toBe('forbidden')
  expect(await refused(cas)).toBeUndefined()
  await ann.call('r', 'kick', { player: 'cas' })
  expect(await refused(cas)).toBe('forbidden')
  const before = bob.frames(OP.castOut).length
  for (let n = 0; n < 20; n++) ann.send('r', [[OP.cast, 'r', 'dot', n]])
  await world.gateway.settle()
  expect(bob.frames(OP.castOut).length - before).toBeLessThanOrEqual(5)
})
