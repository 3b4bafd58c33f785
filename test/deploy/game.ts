import { connect, type Room } from '../../client/client.ts'
import type tictactoe from '../../games/tictactoe/rules.ts'
import { until } from '../program.ts'

/** The same game as each of its two players has it; `leave` ends their sessions. */
export interface Begun {
  readonly ann: Room<typeof tictactoe>
  readonly bob: Room<typeof tictactoe>
  leave(): void
}

/** Two guests begin a game of tictactoe at this server, and the first has marked the cell in the middle. */
export const beginGame = async (url: string): Promise<Begun> => {
  const [ann, bob] = [connect({ url, guest: 'Ann' }), connect({ url, guest: 'Bob' })]
  const room = await ann.join<typeof tictactoe>(await ann.create('tictactoe'))
  const other = await bob.join<typeof tictactoe>(room.id)
  await until(() => room.document.room.phase === 'playing', 'the game to begin')
  await room.move.mark({ cell: 4 })
  const leave = () => {
    ann.close()
    bob.close()
  }
  return { ann: room, bob: other, leave }
}
