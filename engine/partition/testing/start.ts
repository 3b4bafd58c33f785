import type { LoadedGame } from '../../rules/game.ts'
import type { ScriptedClient } from './gateway.ts'
import { World } from './world.ts'

/** A world with one room `r` of this game, made by ann, who has joined it. */
export const startWorld = async (
  game: LoadedGame,
  options?: unknown,
): Promise<{ world: World; ann: ScriptedClient }> => {
  const world = await World.start([game])
  const ann = world.gateway.connect('ann')
  await ann.create('r', game.runner.id, options)
  await ann.join('r')
  return { world, ann }
}
