import { counter } from './games.ts'
import { ScriptedClient, type ScriptedGateway } from './gateway.ts'
import { Poller } from './poller.ts'
import { startWorld } from './start.ts'
import type { World } from './world.ts'

/** ann plays on a WebSocket, bob over HTTP, eve watches over HTTP. */
export const playing = async (game = counter()) => {
  const { world, ann } = await startWorld(game)
  const bob = new Poller(world.gateway, 'r', 'bob')
  const eve = new Poller(world.gateway, 'r', 'eve')
  await bob.client.join('r')
  await eve.client.join('r', { role: 'spectator' })
  await ann.call('r', 'start')
  return { world, ann, bob, eve }
}

/** What ann is shown of this player. */
export const isConnected = (ann: ScriptedClient, player: string) => ann.document('r').room.members[player]?.connected

export const liveRoom = (world: World) => world.engine.rooms.here('r')

/** A poll that is held; rejects where it is answered at once. */
export const heldPoll = async (poller: Poller, gateway?: ScriptedGateway): Promise<ScriptedClient> => {
  const held = await poller.hold(gateway)
  if (!(held instanceof ScriptedClient)) throw new Error(`not held: ${JSON.stringify(held)}`)
  return held
}
