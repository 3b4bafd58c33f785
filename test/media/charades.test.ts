import { expect, test } from 'vitest'
import type { Room } from '../../client/client.ts'
import type charades from '../../games/charades/rules.ts'
import { type Allowed, expectFlows } from './flows.ts'
import { type Player, studioOfThisFile } from './studio.ts'
import { tableOf } from './table.ts'

const studio = await studioOfThisFile()

const phaseIs = async (people: readonly Player[], phase: string): Promise<void> => {
  for (const { frame } of people)
    await frame.waitForFunction((phase) => (seat.room as Room<typeof charades>).document.game?.phase === phase, phase)
}

const everybody: Allowed<Player> = { see: () => true, hear: () => true }

interface Parts {
  readonly performer: Player
  readonly guessers: readonly Player[]
  readonly rivals: readonly Player[]
}

/**
 * While somebody acts all are seen. Who guesses is heard by all; the other team, which knows the word, is heard by itself alone; and who
 * performs by nobody.
 */
const whileActing = ({ guessers, rivals }: Parts): Allowed<Player> => ({
  see: () => true,
  hear: (viewer, player) => guessers.includes(player) || (rivals.includes(viewer) && rivals.includes(player)),
})

/** Who is what in the turn of `performer`. */
const partsOf = async (players: readonly Player[]): Promise<Parts> => {
  const game = await players[0]?.frame.evaluate(() => (seat.room as Room<typeof charades>).document.game)
  const team = game?.teams[game.team ?? expect.fail('no team acts')] ?? []
  const performer = players.find(({ id }) => id === (game?.performer ?? game?.next)) ?? expect.fail('nobody performs')
  return {
    performer,
    guessers: players.filter((player) => team.includes(player.id) && player !== performer),
    rivals: players.filter(({ id }) => !team.includes(id)),
  }
}

test('P4: through charades of five and one who watches, all are seen; while somebody acts, nobody hears the performer, and the team that knows the word is heard by itself', {
  timeout: 300_000,
}, async () => {
  const names = ['Ann', 'Bob', 'Cho', 'Dan', 'Eli']
  const options = { turn: 600, ready: 120, rounds: 1 }
  const { host, players, everyone, room, flows } = await tableOf(studio, 'charades', options, names)

  await flows('open', everybody)
  await host.frame.evaluate(() => seat.room.start())
  await phaseIs(everyone, 'ready')
  await flows('getting ready', everybody)

  const parts = await partsOf(players)
  await parts.performer.frame.evaluate(() => (seat.room as Room<typeof charades>).move.begin({}))
  await phaseIs(everyone, 'acting')
  await flows('acting', whileActing(parts))

  const [last, ...gone] = parts.rivals
  for (const { frame } of gone) await frame.evaluate(() => seat.room.leave())
  const here = (all: readonly Player[]) => all.filter((player) => !gone.includes(player))
  await phaseIs(here(everyone), 'over')
  await expectFlows(`over, ${last?.name} alone in the team`, here(everyone), here(players), everybody, () =>
    studio.carried(room),
  )
})
