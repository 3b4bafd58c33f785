/** Where seat `seat` of `count` is around the table, in degrees clockwise from the right: the same for everyone. Pure. */
export const angleOf = (seat: number, count: number): number => {
  // Two face each other across the board.
  if (count <= 2) return 180 + seat * 180
  // An even number leaves the head and the foot of the table free: there the middle is tallest.
  const first = count % 2 === 0 ? 0.5 : 0
  return -90 + ((seat + first) * 360) / count
}

/** How many free seats are drawn beside `here` people: those that are needed, and one for whoever comes along. Pure. */
export const freeSeats = (here: number, [min, max]: readonly [min: number, max: number]): number =>
  Math.max(0, Math.min(max, Math.max(min, here + 1)) - here)
