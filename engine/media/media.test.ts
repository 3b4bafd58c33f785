import { expect, test } from 'vitest'
import { counter } from '../partition/testing/games.ts'
import { ScriptedMediaNode } from '../partition/testing/medianode.ts'
import { startWorld } from '../partition/testing/start.ts'

test('a CALL media.* of a member goes to a media node with the room’s policy before it, and comes back', async () => {
  const { world, ann } = await startWorld(counter())
  const node = new ScriptedMediaNode('n1', world.bus, world.clock)
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  expect(await ann.call('r', 'media.join', { a: 1 })).toEqual({ ok: 'media.join' })
  expect(node.heard.map(({ kind }) => kind)).toEqual(['media-lease', 'media-call'])
  expect(node.calls).toMatchObject([
    { room: 'r', peer: { player: 'ann', session: ann.session, role: 'player' }, ref: ann.ref, params: { a: 1 } },
  ])
  const row = (...who: string[]) => ({ see: who, hear: who })
  expect(node.leases.at(-1)?.policy).toEqual({
    players: ['ann', 'bob'],
    viewers: { ann: row('bob'), bob: row('ann') },
    spectators: row('ann', 'bob'),
  })
})
