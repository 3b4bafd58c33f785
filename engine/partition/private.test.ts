import { beforeAll, expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import type { LoadedGame } from '../rules/game.ts'
import { loadGames } from '../rules/load.ts'
import { counter } from './testing/games.ts'
import type { ScriptedClient } from './testing/gateway.ts'
import { startWorld } from './testing/start.ts'
import { World } from './testing/world.ts'

let mafia: readonly LoadedGame[] = []
beforeAll(async () => {
  mafia = await loadGames(['games/mafia'])
})

const PLAYERS = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8']

/** A night of mafia, played to the end of the night by whoever is mafia, and all that each was sent. */
const night = async (seed: number) => {
  const world = await World.start(mafia, seed)
  const clients = PLAYERS.map((id) => world.gateway.connect(id))
  const eve = world.gateway.connect('eve')
  const [host] = clients
  if (host === undefined) throw new Error('a host')
  await host.create('r', 'mafia')
  for (const client of clients) await client.join('r')
  await eve.join('r', { role: 'spectator' })
  await host.call('r', 'start')
  const mafiosi = clients.filter((client) => roleOf(client) === 'mafia')
  const [first, second] = mafiosi
  const victim = clients.find((client) => roleOf(client) === 'citizen')?.player
  if (!first || !second || mafiosi.length !== 2) throw new Error('two mafiosi of eight')
  // A vote that changes nothing but what the mafia knows, and a connection that comes back.
  expect(await first.move('r', 'vote', { target: victim })).toHaveProperty('ok')
  const back = world.gateway.connect('p5')
  await back.join('r')
  await world.gateway.reattach('r')
  return { world, clients: [...clients, back], eve, mafiosi: mafiosi.map(({ player }) => player), victim }
}

const roleOf = (client: ScriptedClient): unknown => Reflect.get(Object(client.document('r').game), 'role')
const sent = (client: ScriptedClient): string[] => client.bytes.map((bytes) => Buffer.from(bytes).toString('hex'))

test('P4 private: by night no byte sent to a citizen or a spectator tells who the mafia is, or that it votes', async () => {
  // Worlds that differ only in who was drawn.
  const worlds = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(night))
  const drawn = new Set(worlds.map(({ mafiosi }) => mafiosi.join()))
  expect(drawn.size).toBeGreaterThan(3)
  let compared = 0
  for (const a of worlds)
    for (const b of worlds) {
      if (a.mafiosi.join() === b.mafiosi.join()) continue
      expect(sent(a.eve)).toEqual(sent(b.eve))
      for (const [i, client] of a.clients.entries()) {
        const other = b.clients[i]
        if (!other || roleOf(client) !== 'citizen' || roleOf(other) !== 'citizen') continue
        // The one who votes gets an OK, and the mafia its views: citizens get the same bytes in both worlds.
        expect(sent(client)).toEqual(sent(other))
        compared += 1
      }
    }
  expect(compared).toBeGreaterThan(50)
  for (const { clients, mafiosi, victim } of worlds) {
    const boss = clients.find(({ player }) => player === mafiosi[1])
    expect(boss?.document('r').game).toMatchObject({ mafia: mafiosi, votes: { [mafiosi[0] ?? '']: victim } })
  }
})

test('P4 private: an emit for some reaches them and nobody else, also on resume', async () => {
  const { world, ann } = await startWorld(counter())
  const [bob, eve] = [world.gateway.connect('bob'), world.gateway.connect('eve')]
  await bob.join('r')
  await eve.join('r', { role: 'spectator' })
  await ann.call('r', 'start')
  const since = eve.rooms.get('r')?.seq ?? 0
  // A spectator with the id of nobody in the list, a player who is not in it, and one who is.
  await ann.move('r', 'say', { text: 'x', n: 7, to: ['bob', 'eve'] })
  await ann.move('r', 'say', { text: 'y', n: 8 })
  const heard = (client: ScriptedClient) => client.frames(OP.emit).map(([, , , event]) => event)
  expect(heard(bob)).toEqual([
    { type: 'said', n: 7 },
    { type: 'said', n: 8 },
  ])
  expect(heard(ann)).toEqual([{ type: 'said', n: 8 }])
  expect(heard(eve)).toEqual([{ type: 'said', n: 8 }])
  for (const [who, expected] of [
    ['bob', 2],
    ['ann', 1],
    ['eve', 1],
  ] as const) {
    const again = world.gateway.connect(who)
    await again.join('r', { since, ...(who === 'eve' ? { role: 'spectator' as const } : {}) })
    expect(heard(again)).toHaveLength(expected)
  }
})

test("P4 private: what only one may know is in nobody else's frames", async () => {
  const { world, ann } = await startWorld(
    counter({ face: `everyone: (s) => ({ sum: s.context.sum }), only: (s, v) => ({ own: 'secret of ' + v })` }),
  )
  const [bob, eve] = [world.gateway.connect('bob'), world.gateway.connect('eve')]
  await bob.join('r')
  await eve.join('r', { role: 'spectator' })
  await ann.call('r', 'start')
  await ann.move('r', 'add', 1)
  for (const client of [ann, bob, eve]) {
    const all = Buffer.concat(client.bytes).toString('latin1')
    const own = client === eve ? 'null' : client.player
    for (const other of ['ann', 'bob', 'null']) expect(all.includes(`secret of ${other}`)).toBe(other === own)
  }
})
