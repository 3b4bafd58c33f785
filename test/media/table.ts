import { expect } from 'vitest'
import type { RoomId } from '../../protocol/frames.ts'
import { type Allowed, expectFlows } from './flows.ts'
import { enter, type Player, publish, type Studio } from './studio.ts'

export interface Table {
  readonly host: Player
  /** They publish a camera and a microphone. */
  readonly players: readonly Player[]
  /** The players, and a spectator who is on video. */
  readonly everyone: readonly Player[]
  readonly room: RoomId
  /** As `expectFlows`, of all who are here. */
  flows(phase: string, allowed: Allowed<Player>): Promise<void>
}

/** Players of these names on video in a new room of a game, and one who watches them. */
export const tableOf = async (
  studio: Studio,
  game: string,
  options: Record<string, number>,
  names: readonly string[],
): Promise<Table> => {
  const page = await studio.page()
  const players: Player[] = []
  for (const name of names) players.push(await studio.sit(page, name))
  const eve = await studio.sit(page, 'Eve')
  const everyone = [...players, eve]
  const [host = expect.fail()] = players
  const room = await host.frame.evaluate(([game, options]) => seat.session.create(game, options), [
    game,
    options,
  ] as const)
  for (const player of players) await enter(player, room)
  await enter(eve, room, 'spectator')
  for (const player of players) await publish(player)
  await eve.frame.evaluate(() => seat.room.media.join())
  return {
    host,
    players,
    everyone,
    room,
    flows: (phase, allowed) => expectFlows(phase, everyone, players, allowed, () => studio.carried(room)),
  }
}
