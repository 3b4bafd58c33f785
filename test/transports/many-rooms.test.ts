import { expect, test } from 'vitest'
import { connect, type Room, type Session, type TransportName } from '../../client/client.ts'
import type tictactoe from '../../games/tictactoe/rules.ts'
import { until } from '../program.ts'
import { programOfThisFile } from '../wire/program.ts'

/** More than the server holds open for one player. */
const ROOMS = 40
/** A player's tabs, each in `ROOMS_OF_A_TAB` rooms. */
const TABS = 10
const ROOMS_OF_A_TAB = 4

// Forty JOINs at once are allowed: the rate is not what is looked at here.
const program = await programOfThisFile('--rate', '1000')

type Game = Room<typeof tictactoe>

/** Makes rooms whose first player is this one, whose move it is once somebody else joined. */
const openRooms = (session: Session, count: number): Promise<Game[]> =>
  Promise.all(
    Array.from({ length: count }, async () => session.join<typeof tictactoe>(await session.create('tictactoe'))),
  )

const marked = (games: readonly Game[], cell: number): boolean =>
  games.every(({ document }) => document.game?.cells[cell] != null)

test.each<TransportName>(['sse', 'longpoll', 'poll'])(
  `a session in ${ROOMS} rooms plays in each of them over %s, and stays connected`,
  async (transport) => {
    const ann = connect({ url: program.url, guest: 'Ann' })
    const bob = connect({ url: program.url, guest: 'Bob', transport })
    const lost: string[] = []
    bob.state.subscribe(({ status }) => lost.push(status))
    const anns = await openRooms(ann, ROOMS)
    const bobs = await Promise.all(anns.map(({ id }) => bob.join<typeof tictactoe>(id)))
    await until(() => anns.every(({ document }) => document.game !== null), 'the games to begin')
    for (const game of anns) await game.move.mark({ cell: 0 })
    await until(() => marked(bobs, 0), 'every room to show the move of the other')
    await Promise.all(bobs.map((game) => game.move.mark({ cell: 4 })))
    await until(() => marked(anns, 4), 'every answer to be seen')
    expect(lost).toEqual(['online'])
    for (const session of [ann, bob]) session.close()
  },
)

test('where the tabs of a player have all the streams that the server holds, the other rooms are seen too', async () => {
  const ann = connect({ url: program.url, guest: 'Ann' })
  const first = connect({ url: program.url, guest: 'Bob', transport: 'sse' })
  await first.ready
  const token = first.token ?? expect.fail('a guest has a token')
  const others = Array.from({ length: TABS - 1 }, () => connect({ url: program.url, token, transport: 'sse' }))
  const tabs = [first, ...others]
  const anns = await openRooms(ann, ROOMS_OF_A_TAB)
  const seen = await Promise.all(tabs.flatMap((tab) => anns.map(({ id }) => tab.join<typeof tictactoe>(id))))
  for (const game of anns) await game.move.mark({ cell: 0 })
  await until(() => marked(seen, 0), 'every tab to show every move')
  expect(tabs.map(({ transport }) => transport.current)).toEqual(tabs.map(() => 'sse'))
  for (const session of [ann, ...tabs]) session.close()
})
