/** The moves of tictactoe, in order, by which the first of two wins. */
export const threeInARow = <Player>(first: Player, second: Player): (readonly [who: Player, cell: number])[] => [
  [first, 0],
  [second, 3],
  [first, 1],
  [second, 4],
  [first, 2],
]
