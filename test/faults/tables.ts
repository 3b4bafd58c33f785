import { connect, type Room, type Session } from '../../client/client.ts'
import type tictactoe from '../../games/tictactoe/rules.ts'
import { until } from '../program.ts'

/** A move that was acknowledged: what must be in the log exactly once. */
export interface Acknowledged {
  readonly room: string
  readonly seq: number
  readonly by: string
  readonly cell: number
  /** Ms, by this process's clock. */
  readonly at: number
}

/** What one table has seen and done. */
export interface Table {
  readonly moves: Acknowledged[]
  /** By room and seq: the cells that were shown. */
  readonly shown: { readonly room: string; readonly seq: number; readonly cells: string }[]
  readonly sessions: readonly Session[]
  /** Resolves when it has stopped; rejects where something cannot be. */
  readonly over: Promise<void>
}

/** How long a turn may be in coming, and a request under way. */
const PATIENCE_MS = 180_000
/** Bob's three in a row end the game. */
const TURNS = [0, 3, 1, 4, 6, 5] as const

/** Two guests who play tictactoe against each other for as long as they are let, one room after the other, and note what they see. */
export const startTable = async (
  url: string,
  name: number,
  goesOn: () => boolean,
  patienceMs = PATIENCE_MS,
): Promise<Table> => {
  const options = { url, deadline: patienceMs }
  const [ann, bob] = [
    connect({ ...options, guest: `Ann ${name}` }),
    connect({ ...options, guest: `Bob ${name}` }),
  ] as const
  const ids = [(await ann.ready).id, (await bob.ready).id] as const
  const moves: Acknowledged[] = []
  const shown: Table['shown'] = []
  const play = async (): Promise<void> => {
    const id = await ann.create('tictactoe')
    const rooms = [await ann.join<typeof tictactoe>(id), await bob.join<typeof tictactoe>(id)] as const
    const ends = rooms.map((room) => watch(room, shown))
    for (const [turn, cell] of TURNS.entries()) {
      const side = turn % 2 === 0 ? 0 : 1
      const room = rooms[side]
      await until(() => room.document.game?.turn === ids[side], `the turn of ${ids[side]} in ${id}`, patienceMs)
      const seq = await room.move.mark({ cell })
      moves.push({ room: id, seq, by: ids[side], cell, at: performance.now() })
      if (room.document.game?.cells[cell] !== ids[side])
        throw new Error(`${id}: the move at ${seq} resolved before it was shown`)
    }
    if (rooms[1].document.game?.winner !== ids[1]) throw new Error(`${id}: ${ids[1]} has not won by three in a row`)
    for (const end of ends) end()
    await Promise.all(rooms.map((room) => room.leave()))
  }
  const playOn = async () => {
    while (goesOn()) await play()
  }
  return { moves, shown, sessions: [ann, bob], over: playOn() }
}

const watch = (room: Room<typeof tictactoe>, shown: Table['shown']): (() => void) => {
  const look = () => {
    const { seq, document } = room.current
    if (document.game) shown.push({ room: room.id, seq, cells: JSON.stringify(document.game.cells) })
  }
  look()
  return room.subscribe(look)
}
